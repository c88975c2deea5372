import { basename } from 'node:path';
import { findNodeAtLocation } from 'jsonc-parser';
import type { ConfigFix, ConfigProblem, TextPlace } from '../protocol/configProblems.ts';
import type { Resolution } from '../protocol/model.ts';
import type { ErrorReport } from '../protocol/registrarError.ts';
import { named } from '../protocol/visibleText.ts';
import { checkName } from '../protocol/names.ts';
import { changeFor, type ValueEdit } from './editConfig.ts';
import { offsetAt, parseJsoncTree } from '../files/jsoncTree.ts';
import type { ConfigFault, ParsedConfig } from './parseConfig.ts';

/**
 * What `parseConfig` found, as editors show it.
 *
 * @param text what was parsed, without byte order mark
 */
export function faultProblem(text: string, { code, message, hint, details }: ErrorReport): ConfigProblem {
  const { path, line, column, key, proposal, isInSchema } = details as unknown as ConfigFault;
  const start = { offset: offsetAt(text, { line, column }), length: 1 };
  const place = key === undefined ? null : placeOf(text, key);
  const fix = proposal === undefined ? null : proposalFix(text, key ?? '', proposal, place !== null);
  return {
    ...(place ?? start),
    code,
    severity: 'error',
    message: message.replace(`${named(path)}:${line}:${column} `, ''),
    hint,
    isInSchema,
    fixes: fix ? [fix] : [],
  };
}

/**
 * What is wrong with a config that parses: what contradicts it in the registry and the databases.
 *
 * @param answer what a folder with this config would resolve to
 * @param isIdWritten whether the file has an id, which an editor's text may not show yet
 */
export function decidedProblems(
  text: string,
  config: ParsedConfig,
  answer: Resolution,
  isIdWritten: boolean,
): ConfigProblem[] {
  const name = placeOf(text, 'project.name') ?? { offset: 0, length: 1 };
  const { project, error, warnings } = answer;
  const problems = error && answer.tier === 2 ? refusalProblems(text, config, error, name) : [];
  const edited = (title: string, edits: readonly ValueEdit[]): ConfigFix[] => changes(text, title, true, edits);
  for (const { code, message, hint } of warnings) {
    if (code !== 'NAME_DIFFERS' || !project) continue;
    const fixes = edited(`Use the registry's name "${project.name}"`, [{ key: 'project.name', value: project.name }]);
    problems.push({ ...name, code, severity: 'warning', message, hint, isInSchema: false, fixes });
  }
  if (project && answer.tier === 2 && !answer.stale && config.id === null && !isIdWritten) {
    problems.push({
      ...name,
      code: 'ID_NOT_WRITTEN',
      severity: 'information',
      message: `This file does not have the id of project "${project.name}".`,
      hint: 'With it, a moved or copied folder stays this project.',
      isInSchema: false,
      fixes: edited("Write the project's id", [{ key: 'project.id', value: project.id }]),
    });
  }
  return problems;
}

/** Refusals that a change of the config can solve. Trouble of the server or the folder is not shown in a file. */
function refusalProblems(text: string, config: ParsedConfig, error: ErrorReport, name: TextPlace): ConfigProblem[] {
  const { code, message, hint } = error;
  const id = placeOf(text, 'project.id');
  const database = placeOf(text, 'project.database_name');
  const fixes = refusalFixes(text, config, error);
  const at = (place: TextPlace): ConfigProblem[] => [
    { ...place, code, severity: 'error', message, hint, isInSchema: false, fixes },
  ];
  switch (code) {
    case 'PROJECT_CONFLICT':
      return at(error.details?.['projects'] && id ? id : name);
    case 'PROJECT_FORGOTTEN':
      return at(name);
    case 'DATABASE_FOREIGN':
    case 'DATABASE_MISSING':
      return at(database ?? name);
    default:
      return [];
  }
}

interface RefusalDetails {
  project?: { id: string; name: string };
  projects?: { id: string; name: string }[];
  database?: string;
  found?: string;
  proposal?: string;
  choices?: string[];
}

function refusalFixes(text: string, config: ParsedConfig, { code, details }: ErrorReport): ConfigFix[] {
  const { project, projects, database, found, proposal, choices = [] } = (details ?? {}) as RefusalDetails;
  const isElsewhere = choices.includes('init');
  const fixes: ConfigFix[] = [];
  const use = (title: string, { id, name }: { id: string; name: string }): ConfigFix[] =>
    changes(text, title, false, [
      { key: 'project.name', value: name },
      { key: 'project.id', value: id },
      // An override that names another project's database would make the binding a contradiction.
      { key: 'project.database_name', value: null },
    ]);
  if (choices.includes('adopt') && database !== undefined) {
    const isForgotten = code === 'PROJECT_FORGOTTEN';
    const title = isForgotten ? `Adopt ${database}: bring "${config.name}" back` : `Adopt ${database}`;
    fixes.push({ title, isPreferred: isForgotten, kind: 'adopt', database });
  }
  if (choices.includes('use')) {
    const title = `Share the database of project "${project?.name ?? ''}"`;
    // An id is no evidence: where a folder may not claim the project, a person binds it.
    if (project && isElsewhere) fixes.push({ title, isPreferred: false, kind: 'share', project: project.id });
    else if (project) fixes.push(...use(title, project));
    const [byId, byName] = projects ?? [];
    if (byId) fixes.push(...use(`Use the project that has the id, "${byId.name}"`, byId));
    if (byName) fixes.push(...use(`Use the project that has the name: write the registry's id`, byName));
  }
  if (choices.includes('rename')) {
    const other = proposal ?? anotherName(config);
    fixes.push(
      ...changes(text, `Choose another name: "${other}"`, false, [
        { key: 'project.name', value: other },
        // The old id would still mean the database that is there, or the other folder's project.
        ...(database === undefined && !isElsewhere ? [] : [{ key: 'project.id' as const, value: null }]),
        ...(isElsewhere ? [{ key: 'project.database_name' as const, value: null }] : []),
      ]),
    );
  }
  if (found !== undefined) {
    fixes.push(...changes(text, `Use database ${found}`, true, [{ key: 'project.database_name', value: found }]));
  } else if (code.startsWith('DATABASE_') && config.databaseName !== null) {
    const title = 'Remove project.database_name';
    fixes.push(...changes(text, title, true, [{ key: 'project.database_name', value: null }]));
  }
  return fixes;
}

/** The folder's name if it differs, else the next number. Whether the name is free shows once it is in the text. */
function anotherName({ name, folder }: ParsedConfig): string {
  const own = basename(folder);
  if (own !== name && checkName(own).ok) return own;
  const [, stem = name, digits = '1'] = /^(.*)-(\d{1,6})$/.exec(name) ?? [];
  const ending = `-${Number(digits) + 1}`;
  return stem.slice(0, 255 - ending.length) + ending;
}

function proposalFix(text: string, key: string, proposal: unknown, isThere: boolean): ConfigFix | null {
  const shown = JSON.stringify(proposal);
  const written = key === '' ? 'Write' : isThere ? `Change ${key} to` : `Add ${key}:`;
  const title = proposal === null ? `Remove ${key}` : `${written} ${shown}`;
  return changes(text, title, true, [{ key, value: proposal }])[0] ?? null;
}

/** None if nothing would differ. */
function changes(text: string, title: string, isPreferred: boolean, edits: readonly ValueEdit[]): ConfigFix[] {
  const change = changeFor(text, edits);
  return change ? [{ title, isPreferred, kind: 'change', change }] : [];
}

/** The position of a dotted key's value; null if it is not there. */
function placeOf(text: string, key: string): TextPlace | null {
  const tree = parseJsoncTree(text);
  const node = tree.ok ? findNodeAtLocation(tree.root, key.split('.')) : undefined;
  return node ? { offset: node.offset, length: node.length } : null;
}
