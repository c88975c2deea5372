import type { ErrorCode, WarningCode } from '../../daemon/protocol/codes.ts';

export interface CodeText {
  cause: string;
  remedy: string;
}

/** What each code stands for. The message and the hint of an answer say the same with the names of the case. */
export const errorTexts: Record<ErrorCode, CodeText> = {
  CONFIG_INVALID: {
    cause: 'There is a config file, but it cannot be used; the message names line and column.',
    remedy: 'Correct that place. Until then, no other project is used.',
  },
  CONFIG_UNREADABLE: {
    cause: 'There is a config file, but it cannot be read or written.',
    remedy: 'Make it a file that you can read and write, or remove it.',
  },
  CONFIG_NOT_TRUSTED: {
    cause: 'The config file belongs to another user, or VS Code has the folder in Restricted Mode.',
    remedy: '`registrar trust DIR` if you trust what is in it, or trust the folder in VS Code.',
  },
  CONFIG_CHANGED: {
    cause: 'Somebody edited the file while it was being changed; their edit was kept.',
    remedy: 'Try again.',
  },
  NAME_INVALID: {
    cause: 'The name is empty, too long, reserved, or has characters that a name cannot have.',
    remedy: 'Use the valid name that the hint proposes, or another one.',
  },
  DATABASE_NAME_INVALID: {
    cause: 'The named database does not have the form of a project’s database name.',
    remedy: 'Rename the database to that form first; the hint shows how.',
  },
  PROJECT_NOT_FOUND: {
    cause: 'No project has this id or name. Nothing else was tried instead.',
    remedy: '`registrar projects list` shows all projects.',
  },
  PROJECT_AMBIGUOUS: {
    cause: 'The reference fits more than one project; both are named.',
    remedy: 'Use the whole id, or the name.',
  },
  PROJECT_MISMATCH: {
    cause: 'The project is not the one that was expected (`expect`, or `strict_mode` in the config file).',
    remedy: 'Check the directory, or name the project that you mean.',
  },
  PROJECT_CONFLICT: {
    cause:
      'The project belongs to another repository or folder, and nothing shows that this folder belongs to it; or a name is taken.',
    remedy:
      '`registrar init NAME --local` creates a separate database; `registrar use PROJECT` shares the existing one.',
  },
  PROJECT_DROPPED: {
    cause: 'Somebody dropped the project of this config; the message says who, when and from where. Nothing was made.',
    remedy:
      '`registrar projects create NAME --directory .` creates a new, empty one; `registrar use PROJECT` uses another project.',
  },
  PROJECT_FORGOTTEN: {
    cause: 'The project was forgotten, or is being dropped. It does not come back unless somebody asks for it.',
    remedy: '`registrar projects adopt DATABASE` brings it back; another `project.name` starts a new project.',
  },
  DIRECTORY_INVALID: {
    cause: 'The directory does not exist, is not a folder, cannot be read, or is not an absolute path.',
    remedy: 'Pass the absolute path of the folder that you work in.',
  },
  UNRESOLVED: {
    cause: 'There is no project: none was named, and the directory has no config file.',
    remedy: '`registrar projects create NAME --directory DIR`, or `registrar use PROJECT`; agents pass `directory`.',
  },
  DATABASE_MISSING: {
    cause:
      'The database is not on the server, and Registrar created nothing. If another database carries its marker, the message names it.',
    remedy: 'Restore a backup, or run `registrar projects remake NAME`. If the database was renamed, rename it back.',
  },
  DATABASE_FOREIGN: {
    cause: 'The database belongs to another project or registry, or contains somebody else’s tables.',
    remedy: 'Correct the name; `registrar projects adopt DATABASE` takes over one that nobody owns.',
  },
  MARKER_MISSING: {
    cause: 'The database carries no marker that says which project owns it, and Registrar could not write one.',
    remedy: 'Have the database’s owner run `registrar resolve --project NAME` while the registry can be written.',
  },
  PROVISION_FAILED: {
    cause: 'The server could not create, prepare or drop a database, or the bundled PostgreSQL could not start.',
    remedy: 'Fix what the message names, such as a missing privilege or a full disk; the next resolve continues.',
  },
  POSTGRES_NOT_CHOSEN: {
    cause: 'No PostgreSQL server was chosen. Nothing was started or downloaded.',
    remedy: '`registrar postgres bundled`, `registrar postgres URL`, or `REGISTRAR_DATABASE_URL`.',
  },
  REGISTRY_UNREACHABLE: {
    cause: 'The PostgreSQL server does not answer, or the connection broke.',
    remedy: 'Check that it runs and that the address is right: `registrar postgres show`.',
  },
  REGISTRY_BUSY: {
    cause:
      'The server answers, but the request waited too long: because of a lock, a time limit of the role, or other load.',
    remedy: 'Try again; `pg_stat_activity` shows who holds the lock.',
  },
  SERVER_FULL: {
    cause: 'The server accepts no more connections, or has no memory left.',
    remedy: 'Close unused connections, raise `max_connections`, or use a pooler.',
  },
  DISK_FULL: {
    cause: 'The server’s disk is full.',
    remedy: 'Free disk space on the server, then try again.',
  },
  REGISTRY_READ_ONLY: {
    cause:
      'The server, the registry’s database or this role accepts no writes: it is a standby, or `default_transaction_read_only` is on.',
    remedy: 'Connect to the primary (`target_session_attrs=read-write`), or reset that setting.',
  },
  REGISTRY_FORBIDDEN: {
    cause: 'The server answers, but a privilege is missing; the message names it.',
    remedy:
      'Have somebody with the right privileges run the statement in the hint: see [A team’s registry](../team-registry.md).',
  },
  REGISTRY_SCHEMA: {
    cause: 'The database has a table `projects` that is not a registry, or an encoding that lacks a character.',
    remedy: 'Name another registry database at the end of the address, or create the registry again in UTF8.',
  },
  CREDENTIALS_REQUIRED: {
    cause: 'The server asks for a password, but none is known, or the known one is wrong.',
    remedy: '`registrar postgres URL --save-password`, `PGPASSWORD`, or a line in `~/.pgpass`.',
  },
  ADDRESS_MISMATCH: {
    cause: 'The daemon uses one PostgreSQL server, and this caller named another; the message names both.',
    remedy: 'Leave the address out, or change it for everybody: `registrar postgres URL`.',
  },
  SQL_REJECTED: {
    cause: 'An agent sent something other than a single statement that only reads.',
    remedy: 'Send one SELECT, VALUES, TABLE, SHOW or EXPLAIN; write with `registrar exec -- CMD`.',
  },
  SQL_FAILED: {
    cause: 'PostgreSQL refused an agent’s statement; the answer has its message and SQLSTATE.',
    remedy: 'Correct the statement; `describe_database` shows tables and columns.',
  },
  SQL_TIMEOUT: {
    cause: 'An agent’s statement reached the time limit, or waited too long for a slot.',
    remedy: 'Ask for less, with WHERE or LIMIT, or look at the plan with EXPLAIN.',
  },
  PLAN_STALE: {
    cause: 'Something has changed since the plan was made.',
    remedy: 'Get a new plan: `registrar drift`.',
  },
  CONFIRMATION_REQUIRED: {
    cause: 'The command destroys something, or shares another repository’s database, and was not confirmed.',
    remedy: 'Read what it would destroy; the hint has the command that does it.',
  },
  DAEMON_UNREACHABLE: {
    cause: 'The daemon could not be started, does not answer, or was shutting down.',
    remedy: 'Try again; `registrar log` says why it stopped.',
  },
  DAEMON_VERSION: {
    cause: 'The versions of daemon and client cannot talk to each other.',
    remedy: 'Update the older one; `registrar stop` lets the next command start its own.',
  },
  UNAUTHORIZED: {
    cause: 'A request had no valid token, came from a web page, or named another host.',
    remedy: '`registrar connect AGENT --http --write` writes the current address and token.',
  },
  INVALID_ARGUMENT: {
    cause: 'An argument, an option, an environment variable or the settings file is not valid.',
    remedy: 'Correct what the message names.',
  },
  INTERNAL: {
    cause: 'Registrar failed unexpectedly.',
    remedy: 'Report it, with the output of `registrar log`.',
  },
};

export const warningTexts: Record<WarningCode, CodeText> = {
  FIRST_CLAIM: {
    cause: 'The project had no folder, and now belongs to the first one that asked.',
    remedy: 'If that is the wrong folder, run `registrar use PROJECT` in the right one, and use another project here.',
  },
  CLAIMED_ELSEWHERE: {
    cause: 'The project was created on another machine. This folder has its id, and now shares its database.',
    remedy: 'If this is another project, give it another `project.name` and remove `project.id`.',
  },
  PENDING: {
    cause: 'Not registered yet: the registry could not be written. The project is usable, and safe on this machine.',
    remedy: 'Nothing: Registrar registers it later. `registrar sync` tries at once.',
  },
  PARKED: {
    cause: 'Needs you: the registry refuses the project, such as for a name that is taken; retrying cannot help.',
    remedy: '`registrar use PROJECT` shares the existing one; `registrar projects rename` chooses another name.',
  },
  STALE: {
    cause: 'Last known: the server does not answer, and this machine answered from memory.',
    remedy: 'Queries fail until the server is back; nothing needs a restart then.',
  },
  ID_NOT_WRITTEN: {
    cause: 'The project’s id could not be written into the config file.',
    remedy: 'Put it there yourself, so that a moved or copied folder stays this project.',
  },
  REKEYED: {
    cause: 'The config file has a new id for this folder’s project; the project now has that id.',
    remedy: 'If you did not intend this, change `project.id` back: both ids find the project.',
  },
  RENAMED: {
    cause: 'The config file has a new name for this project; the project now has that name and keeps its database.',
    remedy: 'If you did not intend this, change `project.name` back.',
  },
  NAME_DIFFERS: {
    cause:
      'The name in the config file is not the project’s name: somebody renamed the project elsewhere, for example in another worktree.',
    remedy: 'Set `project.name` to the project’s name, or rename the project.',
  },
  DATABASE_RECREATED: {
    cause: 'The project’s database was gone, and `registrar projects remake` created it again, empty.',
    remedy: 'Restore its data from a backup, or run its migrations.',
  },
  MARKER_RESTORED: {
    cause:
      'The database had lost the marker that says which project owns it, for example in a restore; Registrar wrote it again.',
    remedy: 'Nothing, if the database is the right one.',
  },
  FOLDER_MOVED: {
    cause: 'The project’s former folder is gone, and this folder has its name.',
    remedy: 'If this is another project, give it another `project.name`.',
  },
  WORKFLOW_UNKNOWN_PROJECT: {
    cause: 'The workflow server’s active project is not in the registry.',
    remedy: 'Choose another active project there, or register this one.',
  },
};
