import { isAbsolute, resolve } from 'node:path';
import { RegistrarError } from '../protocol/registrarError.ts';
import { quoted } from '../protocol/visibleText.ts';

/** Which of the sources of `chooseDirectory` said where a call works. */
export type DirectorySource = 'argument' | 'session' | 'header' | 'launch' | 'root' | 'cwd';

/** A directory that `set_working_directory` gave, and the project that it had then; null when it had none. */
export interface Bound extends Binding {
  project: { id: string; name: string } | null;
}

/** Enough of it to tell whether two belong to one project. */
export interface Binding {
  directory: string;
  project: { id: string } | null;
}

/** Where a client was started: what its command line or environment names, else the process's own directory. */
export interface Launch {
  directory: string;
  isNamed: boolean;
}

export interface DirectorySources {
  /** The tool's argument `directory`. */
  argument: string | null;
  /** What this session was bound to. */
  bound: readonly Bound[];
  /** `X-Registrar-Directory` as it came: percent-encoded. */
  header: string | null;
  launch: Launch | null;
  /** The client's workspace folders; asked for only when nothing before it says anything. */
  roots: () => Promise<readonly string[]>;
  home: string;
}

export type ChosenDirectory =
  | { kind: 'directory'; directory: string; source: DirectorySource }
  | { kind: 'none'; reason: string }
  /** Two agents share this session: only a call that names its own directory can be answered. */
  | { kind: 'ambiguous'; bound: readonly Bound[] }
  | { kind: 'several-roots'; roots: readonly string[] };

/**
 * Chooses the directory of one call: the first source that names one. An argument that does not count as a directory
 * ends the search, because its author did not mean another source's; so does an ambiguous session.
 *
 * @throws RegistrarError DIRECTORY_INVALID for a path that is not absolute or a header that is not percent-encoded
 */
export async function chooseDirectory(sources: DirectorySources): Promise<ChosenDirectory> {
  const { argument, bound, header, launch, home } = sources;
  if (argument !== null) {
    const directory = usableDirectory(argument, home);
    if (directory !== null) return { kind: 'directory', directory, source: 'argument' };
    return { kind: 'none', reason: `${quoted(argument)} is not accepted as a directory` };
  }
  if (isAmbiguous(bound)) return { kind: 'ambiguous', bound };
  const session = bound.at(-1);
  if (session) return { kind: 'directory', directory: session.directory, source: 'session' };
  const named = header === null ? null : headerDirectory(header, home);
  if (named !== null) return { kind: 'directory', directory: named, source: 'header' };
  const launched = launch && isAbsolute(launch.directory) ? usableDirectory(launch.directory, home) : null;
  if (launched !== null && launch?.isNamed) return { kind: 'directory', directory: launched, source: 'launch' };
  const roots = (await sources.roots()).filter((root) => isAbsolute(root) && usableDirectory(root, home) !== null);
  const [root] = roots;
  if (roots.length > 1) return { kind: 'several-roots', roots };
  if (root !== undefined) return { kind: 'directory', directory: root, source: 'root' };
  // Last, since some clients start every server in a folder of their own.
  if (launched !== null) return { kind: 'directory', directory: launched, source: 'cwd' };
  return { kind: 'none', reason: 'no directory was given, by the call, the session or the client' };
}

/**
 * The directory that a text names, or null when it counts as none: the root, the home folder, and a variable that a
 * client did not replace.
 *
 * @throws RegistrarError DIRECTORY_INVALID if it is not absolute: the daemon's own directory means nothing
 */
export function usableDirectory(text: string, home: string): string | null {
  if (text.includes('${')) return null;
  if (!isAbsolute(text)) {
    throw new RegistrarError({
      code: 'DIRECTORY_INVALID',
      message: `${quoted(text)} is not an absolute path.`,
      hint: 'Pass the absolute path of the folder that you work in.',
    });
  }
  const path = resolve(text);
  if (path === resolve(home) || path === resolve(path, '..')) return null;
  return path;
}

/** The directory that `X-Registrar-Directory` names, as `usableDirectory`. */
export function headerDirectory(header: string, home: string): string | null {
  return usableDirectory(decodedHeader(header), home);
}

/** The bindings after one more `set_working_directory`. The latest answer for a directory counts, and the latest is last. */
export function bind<One extends Binding>(bound: readonly One[], added: One): One[] {
  const all = [...bound.filter(({ directory }) => directory !== added.directory), added];
  if (all.length <= maxBound) return all;
  // A client must not fill the memory. What goes is the oldest for whose project another stands, so that a session that
  // was ambiguous stays so.
  const spare = all.findIndex((one, at) => all.some((other, later) => later > at && meant(other) === meant(one)));
  return all.toSpliced(Math.max(spare, 0), 1);
}

const maxBound = 20;

/** Directories without a project count as projects of their own, because the caller does not mean another project. */
function isAmbiguous(bound: readonly Bound[]): boolean {
  return new Set(bound.map(meant)).size > 1;
}

function meant({ project, directory }: Binding): string {
  return project?.id ?? directory;
}

function decodedHeader(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    throw new RegistrarError({
      code: 'DIRECTORY_INVALID',
      message: 'The header X-Registrar-Directory is not percent-encoded.',
      hint: 'Encode it as encodeURIComponent does, or pass the argument directory.',
    });
  }
}
