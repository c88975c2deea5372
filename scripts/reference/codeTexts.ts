import type { ErrorCode, WarningCode } from '../../daemon/protocol/codes.ts';

export interface CodeText {
  cause: string;
  remedy: string;
}

/** What each code stands for. The message and the hint of an answer say the same with the names of the case. */
export const errorTexts: Record<ErrorCode, CodeText> = {
  CONFIG_INVALID: {
    cause: 'A config file is there and cannot be honoured; the message names line and column.',
    remedy: 'Correct that place. Until then no other project is used.',
  },
  CONFIG_UNREADABLE: {
    cause: 'A config file is there and cannot be read or written.',
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
    remedy: 'Take the valid name that the hint proposes, or another.',
  },
  DATABASE_NAME_INVALID: {
    cause: 'A database whose name does not have the form of a project’s database was named.',
    remedy: 'Rename the database to that form first; the hint shows how.',
  },
  PROJECT_NOT_FOUND: {
    cause: 'No project has this id or name. Nothing else was asked instead.',
    remedy: '`registrar projects list` shows what there is.',
  },
  PROJECT_AMBIGUOUS: {
    cause: 'The reference fits more than one project; both are named.',
    remedy: 'Use the whole id, or the name.',
  },
  PROJECT_MISMATCH: {
    cause: 'The project is another than the one that was expected (`expect`, or `strict_mode` in the config file).',
    remedy: 'Check the directory, or name the project that you mean.',
  },
  PROJECT_CONFLICT: {
    cause:
      'The project belongs to another repository or folder, and nothing shows that this folder belongs to it; or a name is taken.',
    remedy:
      '`registrar init NAME --local` makes a database of its own; `registrar use PROJECT` shares the one that is there.',
  },
  PROJECT_DROPPED: {
    cause: 'Somebody dropped the project of this config; the message says who, when and from where. Nothing was made.',
    remedy:
      '`registrar projects create NAME --directory .` makes it anew, empty; `registrar use PROJECT` takes another.',
  },
  PROJECT_FORGOTTEN: {
    cause: 'The project was forgotten or is being dropped, and is not brought back unasked.',
    remedy: '`registrar projects adopt DATABASE` brings it back; another `project.name` begins anew.',
  },
  DIRECTORY_INVALID: {
    cause: 'The directory is not there, is no folder, cannot be read, or is not an absolute path.',
    remedy: 'Pass the absolute path of the folder that you work in.',
  },
  UNRESOLVED: {
    cause: 'Nothing says which project is meant: no project was named, and the directory has no config file.',
    remedy: '`registrar projects create NAME --directory DIR`, or `registrar use PROJECT`; agents pass `directory`.',
  },
  DATABASE_MISSING: {
    cause:
      'The database is not on the server, and nothing was made. If another database carries its marker, the message names it.',
    remedy: 'Restore a backup, or run `registrar projects remake NAME`. If the database was renamed, rename it back.',
  },
  DATABASE_FOREIGN: {
    cause: 'The database belongs to another project or registry, or holds tables of somebody unknown.',
    remedy: 'Correct the name; `registrar projects adopt DATABASE` takes over one that nobody owns.',
  },
  MARKER_MISSING: {
    cause: 'The database carries no marker, so it does not say whose it is, and the registry could not mark it.',
    remedy: 'Have the database’s owner run `registrar resolve --project NAME` while the registry can be written.',
  },
  PROVISION_FAILED: {
    cause: 'The server could not create, prepare or drop a database, or the bundled PostgreSQL could not start.',
    remedy: 'Mend what the message names, such as a missing privilege or a full disk; the next resolve goes on.',
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
    cause: 'The server is there and a privilege is missing; the message names it.',
    remedy: 'Have the statement of the hint run by whoever may: see [A team’s registry](../team-registry.md).',
  },
  REGISTRY_SCHEMA: {
    cause: 'The database has a table `projects` that is no registry, or an encoding that lacks a character.',
    remedy: 'Name another registry database at the end of the address, or make the registry anew in UTF8.',
  },
  CREDENTIALS_REQUIRED: {
    cause: 'The server asks for a password and none is known, or the known one is wrong.',
    remedy: '`registrar postgres URL --save-password`, `PGPASSWORD`, or a line in `~/.pgpass`.',
  },
  ADDRESS_MISMATCH: {
    cause: 'The daemon serves one PostgreSQL, and this caller brought another; both are named.',
    remedy: 'Leave the address out, or change it for everybody: `registrar postgres URL`.',
  },
  SQL_REJECTED: {
    cause: 'An agent’s statement does not only read, or is more than one.',
    remedy: 'One SELECT, VALUES, TABLE, SHOW or EXPLAIN; write with `registrar exec -- CMD`.',
  },
  SQL_FAILED: {
    cause: 'PostgreSQL refused an agent’s statement; its message and SQLSTATE are given.',
    remedy: 'Correct the statement; `describe_database` shows tables and columns.',
  },
  SQL_TIMEOUT: {
    cause: 'An agent’s statement ran into the time limit or waited too long for its turn.',
    remedy: 'Ask for less, with WHERE or LIMIT, or look at the plan with EXPLAIN.',
  },
  PLAN_STALE: {
    cause: 'What there is to repair is not what the plan was made for.',
    remedy: 'Look again: `registrar drift`.',
  },
  CONFIRMATION_REQUIRED: {
    cause: 'The command destroys something, or shares another repository’s database, and was not confirmed.',
    remedy: 'Read what it would destroy; the hint has the command that does it.',
  },
  DAEMON_UNREACHABLE: {
    cause: 'The daemon could not be started, does not answer, or was ending.',
    remedy: 'Try again; `registrar log` says why it ended.',
  },
  DAEMON_VERSION: {
    cause: 'Daemon and client are of versions that cannot talk to each other.',
    remedy: 'Update the older one; `registrar stop` lets the next command start its own.',
  },
  UNAUTHORIZED: {
    cause: 'A request came without the token, from another machine’s page, or to another host’s name.',
    remedy: '`registrar connect AGENT --http --write` writes the present address and token.',
  },
  INVALID_ARGUMENT: {
    cause: 'An argument, an option, an environment variable or the settings file is not as it has to be.',
    remedy: 'Correct what the message names.',
  },
  INTERNAL: {
    cause: 'Registrar failed in a way that it should not.',
    remedy: 'Report it with what `registrar log` says.',
  },
};

export const warningTexts: Record<WarningCode, CodeText> = {
  FIRST_CLAIM: {
    cause: 'The project had no folder, and now belongs to the one that asked first.',
    remedy: 'If that is the wrong folder, run `registrar use PROJECT` in the right one, and use another project here.',
  },
  CLAIMED_ELSEWHERE: {
    cause: 'The project was created on another machine. This folder has its id, and now shares its database.',
    remedy: 'If this is another project, give it another `project.name` and remove `project.id`.',
  },
  PENDING: {
    cause: 'Not registered yet: the registry could not be written. The project is usable, and safe on this machine.',
    remedy: 'Nothing: it is registered by itself. `registrar sync` tries at once.',
  },
  PARKED: {
    cause: 'Needs you: the registry refuses the project, such as for a name that is taken; retrying cannot help.',
    remedy: '`registrar use PROJECT` shares the one that is there, `registrar projects rename` takes another name.',
  },
  STALE: {
    cause: 'Last known: the server does not answer, and this machine answered from memory.',
    remedy: 'Queries will fail until the server is back; nothing needs to be restarted then.',
  },
  ID_NOT_WRITTEN: {
    cause: 'The project’s id could not be written into the config file.',
    remedy: 'Put it there yourself, so that a moved or copied folder stays this project.',
  },
  REKEYED: {
    cause: 'The config file has another id for this folder’s project; the project has that id now.',
    remedy: 'If that was not meant, change `project.id` back: both ids find it.',
  },
  RENAMED: {
    cause:
      'The config file has another name for this project; the project has that name now, its database is the same.',
    remedy: 'If that was not meant, change `project.name` back.',
  },
  NAME_DIFFERS: {
    cause: 'The config file’s name is not the project’s: it was renamed elsewhere, as in another worktree.',
    remedy: 'Set `project.name` to the project’s name, or rename the project.',
  },
  DATABASE_RECREATED: {
    cause: 'The project’s database was gone, and `registrar projects remake` made it again, empty.',
    remedy: 'Restore its data from a backup, or run its migrations.',
  },
  MARKER_RESTORED: {
    cause: 'The database had lost the marker that says whose it is, as after a restore; it was written again.',
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
