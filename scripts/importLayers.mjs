import { isBuiltin } from 'node:module';
import path from 'node:path';

const pureFolders = ['daemon/resolution', 'daemon/registry'];
/** What every adapter may use: limits of time, files, how the daemon is found and believed, git's files. Each shelf imports those before it. */
const shelves = ['daemon/time', 'daemon/files', 'daemon/wire', 'daemon/git'];
const joiners = ['daemon/engine', 'daemon/process', 'daemon/main.ts', 'daemon/entry.ts'];
/** Packages that only one folder (and the tests) may import. */
const owners = [
  { pattern: /^vscode$/, folders: ['extension', 'test/extension'] },
  { pattern: /^pg(-.*)?$/, folders: ['daemon/postgres', 'test', 'bench'] },
  { pattern: /^@modelcontextprotocol\//, folders: ['daemon/mcp', 'test', 'bench'] },
];

/**
 * Whoever opens a connection of its own could ask a project's database with the path that its owner set. These open one to
 * the registry or to no project's, or hand it to `ProjectConnection`; everybody else goes through that.
 */
const connectionFiles = ['daemon/postgres/connection/connect.ts', 'daemon/postgres/connection/directConnection.ts'];
const connectionUsers = [
  'daemon/postgres/connection',
  ...['agentSql/agentSession', 'databases/proveDatabase', 'registry/registryDatabase', 'registry/registryChanges'].map(
    (name) => `daemon/postgres/${name}.ts`,
  ),
  'daemon/engine/chooseAddress.ts',
];

/**
 * Says why a file may not import something, or undefined when it may. Both names are relative to the checkout with
 * forward slashes; `target` is a file for a relative import and the specifier for a package.
 *
 * @param {string} file
 * @param {string} target
 * @param {boolean} isPackage
 * @returns {string | undefined}
 */
function objection(file, target, isPackage) {
  const layer = layerOf(file);
  if (isPackage) {
    const owner = owners.find(({ pattern }) => pattern.test(target));
    if (owner && !owner.folders.some((folder) => isInside(file, folder)))
      return `only ${owner.folders.join(' and ')} may import ${target}`;
    if (layer === 'protocol') return 'daemon/protocol imports nothing outside itself';
    if (layer === 'pure')
      return 'pure code imports no packages and no Node modules; what it needs comes in through ports';
    if (layer === 'extension' && target !== 'vscode' && !isBuiltin(target))
      return 'extension/ imports only vscode, Node modules, its own files, daemon/protocol and daemon/client';
    if (isInside(file, 'daemon/time')) return 'daemon/time is part of the extension, and needs nothing';
    if (isInside(file, 'daemon/wire') && !target.startsWith('vscode-jsonrpc/') && !isBuiltin(target))
      return 'daemon/wire is part of the extension, so it imports only vscode-jsonrpc and Node modules';
    if (layer === 'client' && !target.startsWith('vscode-jsonrpc/') && !isBuiltin(target))
      return 'daemon/client is part of the extension, so it imports only vscode-jsonrpc and Node modules';
    return undefined;
  }
  if (
    connectionFiles.includes(target) &&
    isInside(file, 'daemon') &&
    !connectionUsers.some((user) => isInside(file, user))
  )
    return 'a project’s database is asked through daemon/postgres/connection/projectConnection.ts';
  if (layer === 'protocol' && !isInside(target, 'daemon/protocol'))
    return 'daemon/protocol imports nothing outside itself';
  if (layer === 'extension' && !['extension', 'protocol', 'client'].includes(layerOf(target)))
    return 'extension/ imports only daemon/protocol and daemon/client from the daemon';
  if (
    layer === 'client' &&
    !['client', 'protocol'].includes(layerOf(target)) &&
    !['daemon/wire', 'daemon/time'].some((shelf) => isInside(target, shelf))
  )
    return 'daemon/client imports only daemon/protocol, daemon/wire and daemon/time';
  if (layer === 'pure' && !['pure', 'protocol'].includes(layerOf(target)))
    return 'pure code imports only daemon/protocol and other pure code; what it needs comes in through ports';
  if (layer === 'adapter' && !isAllowedForAdapter(file, target))
    return 'adapters never import each other: daemon/main.ts and daemon/engine join them';
  if (layer === 'joiner' && !isInside(target, 'daemon')) return 'the daemon imports nothing outside daemon/';
  return undefined;
}

function isAllowedForAdapter(file, target) {
  const folder = file.split('/').slice(0, 2).join('/');
  const level = shelves.indexOf(folder);
  const shared = ['daemon/protocol', ...pureFolders, ...(level < 0 ? shelves : shelves.slice(0, level))];
  return isInside(target, folder) || shared.some((allowed) => isInside(target, allowed));
}

function layerOf(file) {
  if (isInside(file, 'extension')) return 'extension';
  if (isInside(file, 'daemon/protocol')) return 'protocol';
  if (isInside(file, 'daemon/client')) return 'client';
  if (pureFolders.some((folder) => isInside(file, folder))) return 'pure';
  if (joiners.some((joiner) => isInside(file, joiner))) return 'joiner';
  return isInside(file, 'daemon') ? 'adapter' : 'free';
}

function isInside(file, folder) {
  return file === folder || file.startsWith(`${folder}/`);
}

/** The ESLint rule behind the import rules of ARCHITECTURE.md: static, re-exporting, dynamic and type imports alike. */
export const layers = {
  meta: {
    type: 'problem',
    schema: [
      { type: 'object', properties: { root: { type: 'string' } }, required: ['root'], additionalProperties: false },
    ],
    messages: { forbidden: '{{reason}} (imports {{target}}).' },
  },
  create(context) {
    const root = context.options[0].root;
    const relativeToRoot = (file) => path.relative(root, file).split(path.sep).join('/');
    const file = relativeToRoot(context.filename);

    function check(node) {
      if (typeof node?.value !== 'string') return;
      const specifier = node.value;
      const isPackage = !specifier.startsWith('.');
      const target = isPackage ? specifier : relativeToRoot(path.resolve(path.dirname(context.filename), specifier));
      const reason = objection(file, target, isPackage);
      if (reason !== undefined) context.report({ node, messageId: 'forbidden', data: { reason, target } });
    }

    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
    };
  },
};
