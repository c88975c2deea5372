import { isBuiltin } from 'node:module';
import path from 'node:path';

const pureSyncFiles = ['retryPolicy', 'outboxRules', 'driftComparison'].map((name) => `daemon/sync/${name}.ts`);
const pureFolders = ['daemon/resolution', 'daemon/registry'];
/** Files, and git's files, as every adapter may use them; each shelf imports those before it. */
const shelves = ['daemon/files', 'daemon/git'];
const joiners = ['daemon/engine', 'daemon/main.ts', 'daemon/entry.ts'];
/** What both sides of the pipe need to find and believe each other. */
const meetingFiles = ['endpointFile', 'pipePath', 'stateFolder'].map((name) => `daemon/lifecycle/${name}.ts`);
const sharedWithControl = ['proof', 'rpcOver'].map((name) => `daemon/client/${name}.ts`);

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
const connectionFiles = ['daemon/postgres/connect.ts', 'daemon/postgres/directConnection.ts'];
const connectionUsers = [
  ...['directConnection', 'projectConnection', 'agentSession', 'pool', 'pooledClient', 'proveDatabase'],
  ...['registryDatabase', 'registryChanges', 'tryPostgres', 'serverSign'],
].map((name) => `daemon/postgres/${name}.ts`);
connectionUsers.push('daemon/engine/chooseAddress.ts');

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
    if (layer === 'client' && !target.startsWith('vscode-jsonrpc/') && !isBuiltin(target))
      return 'daemon/client is part of the extension, so it imports only vscode-jsonrpc and Node modules';
    return undefined;
  }
  if (connectionFiles.includes(target) && isInside(file, 'daemon') && !connectionUsers.includes(file))
    return 'a project’s database is asked through daemon/postgres/projectConnection.ts';
  if (layer === 'protocol' && !isInside(target, 'daemon/protocol'))
    return 'daemon/protocol imports nothing outside itself';
  if (layer === 'extension' && !['extension', 'protocol', 'client'].includes(layerOf(target)))
    return 'extension/ imports only daemon/protocol and daemon/client from the daemon';
  if (layer === 'client' && !['client', 'protocol'].includes(layerOf(target)) && !meetingFiles.includes(target))
    return `daemon/client imports only daemon/protocol and ${meetingFiles.join(', ')}`;
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
  if (folder === 'daemon/control' && sharedWithControl.includes(target)) return true;
  return isInside(target, folder) || shared.some((allowed) => isInside(target, allowed));
}

function layerOf(file) {
  if (isInside(file, 'extension')) return 'extension';
  if (isInside(file, 'daemon/protocol')) return 'protocol';
  if (isInside(file, 'daemon/client')) return 'client';
  if (pureSyncFiles.includes(file) || pureFolders.some((folder) => isInside(file, folder))) return 'pure';
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
