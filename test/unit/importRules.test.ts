import assert from 'node:assert/strict';
import path from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = path.resolve(import.meta.dirname, '../..');

/** One snippet per rule: the file that it pretends to be, its code, and the rule that has to object. */
const violations: { file: string; code: string; rule: string }[] = [
  { file: 'daemon/config/x.ts', code: "import 'vscode';", rule: 'registrar/layers' },
  { file: 'daemon/main.ts', code: "import 'vscode';", rule: 'registrar/layers' },
  { file: 'test/unit/x.test.ts', code: "import 'vscode';", rule: 'registrar/layers' },
  { file: 'extension/x.ts', code: "import '../daemon/registry/model.ts';", rule: 'registrar/layers' },
  { file: 'extension/views/x.ts', code: "import '../../daemon/main.ts';", rule: 'registrar/layers' },
  { file: 'extension/x.ts', code: "import 'zod';", rule: 'registrar/layers' },
  { file: 'extension/x.ts', code: "import '../daemon/stateFolder/claimsFile.ts';", rule: 'registrar/layers' },
  { file: 'daemon/client/x.ts', code: "import '../lifecycle/settingsFile.ts';", rule: 'registrar/layers' },
  { file: 'daemon/client/x.ts', code: "import '../registry/model.ts';", rule: 'registrar/layers' },
  { file: 'daemon/client/x.ts', code: "import '../control/controlServer.ts';", rule: 'registrar/layers' },
  { file: 'daemon/client/x.ts', code: "import 'zod';", rule: 'registrar/layers' },
  { file: 'daemon/control/x.ts', code: "import '../client/dialDaemon.ts';", rule: 'registrar/layers' },
  { file: 'daemon/protocol/x.ts', code: "import '../registry/model.ts';", rule: 'registrar/layers' },
  { file: 'daemon/protocol/x.ts', code: "import 'node:fs';", rule: 'registrar/layers' },
  { file: 'daemon/protocol/x.ts', code: "import 'zod';", rule: 'registrar/layers' },
  { file: 'daemon/resolution/x.ts', code: "import 'node:path';", rule: 'registrar/layers' },
  { file: 'daemon/resolution/x.ts', code: "import { x } from '../workflow/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/registry/x.ts', code: "import type { Pool } from 'pg';", rule: 'registrar/layers' },
  { file: 'daemon/registry/x.ts', code: "import type { Pool } from '../postgres/pool.ts';", rule: 'registrar/layers' },
  { file: 'daemon/registry/x.ts', code: "export { x } from '../engine/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/registry/x.ts', code: "type X = import('../config/x.ts').X; f<X>();", rule: 'registrar/layers' },
  { file: 'daemon/registry/delivery/retryPolicy.ts', code: "import '../../sync/outbox.ts';", rule: 'registrar/layers' },
  { file: 'daemon/registry/delivery/outboxRules.ts', code: "import 'node:fs';", rule: 'registrar/layers' },
  {
    file: 'daemon/registry/drift/driftComparison.ts',
    code: "await import('../../postgres/x.ts');",
    rule: 'registrar/layers',
  },
  { file: 'daemon/sync/outbox.ts', code: "import '../postgres/pool.ts';", rule: 'registrar/layers' },
  { file: 'daemon/config/x.ts', code: "import '../postgres/pool.ts';", rule: 'registrar/layers' },
  { file: 'daemon/postgres/deep/x.ts', code: "import '../../config/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/config/x.ts', code: "import '../connect/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/connect/x.ts', code: "import '../config/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/connect/x.ts', code: "import '../lifecycle/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/control/x.ts', code: "import '../client/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/wire/x.ts', code: "import 'zod';", rule: 'registrar/layers' },
  { file: 'daemon/wire/x.ts', code: "import '../stateFolder/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/files/x.ts', code: "import '../git/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/time/x.ts', code: "import '../files/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/time/x.ts', code: "import 'node:fs';", rule: 'registrar/layers' },
  { file: 'daemon/git/x.ts', code: "import '../config/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/cli/x.ts', code: "import '../main.ts';", rule: 'registrar/layers' },
  { file: 'daemon/mcp/x.ts', code: "import '../engine/x.ts';", rule: 'registrar/layers' },
  {
    file: 'daemon/postgres/registry/x.ts',
    code: "import '../connection/directConnection.ts';",
    rule: 'registrar/layers',
  },
  { file: 'daemon/engine/x.ts', code: "import '../postgres/connection/connect.ts';", rule: 'registrar/layers' },
  { file: 'daemon/config/x.ts', code: "import 'pg';", rule: 'registrar/layers' },
  { file: 'daemon/engine/x.ts', code: "import 'pg';", rule: 'registrar/layers' },
  { file: 'daemon/control/x.ts', code: "import '@modelcontextprotocol/sdk/types.js';", rule: 'registrar/layers' },
  { file: 'daemon/engine/x.ts', code: "import '../../test/x.ts';", rule: 'registrar/layers' },
  { file: 'daemon/registry/x.ts', code: 'f(process.env);', rule: 'no-restricted-globals' },
  { file: 'daemon/resolution/x.ts', code: 'f(crypto.randomUUID());', rule: 'no-restricted-globals' },
  { file: 'daemon/resolution/x.ts', code: 'setTimeout(f, 1);', rule: 'no-restricted-globals' },
  { file: 'daemon/registry/x.ts', code: 'f(globalThis);', rule: 'no-restricted-globals' },
  { file: 'daemon/registry/x.ts', code: 'f(Date.now());', rule: 'no-restricted-syntax' },
  { file: 'daemon/registry/x.ts', code: 'f(new Date());', rule: 'no-restricted-syntax' },
  { file: 'daemon/registry/x.ts', code: 'f(Date());', rule: 'no-restricted-syntax' },
  { file: 'daemon/registry/delivery/retryPolicy.ts', code: 'f(Math.random());', rule: 'no-restricted-syntax' },
  { file: 'daemon/resolution/x.ts', code: 'f(AbortSignal.timeout(1));', rule: 'no-restricted-syntax' },
  { file: 'daemon/registry/x.ts', code: "export * from './model.ts';", rule: 'no-restricted-syntax' },
  { file: 'daemon/config/x.ts', code: "export * from './model.ts';", rule: 'no-restricted-syntax' },
  { file: 'daemon/config/x.ts', code: 'export default function f() {}', rule: 'no-restricted-exports' },
  { file: 'daemon/config/x.ts', code: "execFile('git', ['status']);", rule: 'no-restricted-syntax' },
  { file: 'daemon/engine/x.ts', code: "child_process.spawnSync('/usr/bin/git');", rule: 'no-restricted-syntax' },
  { file: 'extension/x.ts', code: "exec('git.exe status');", rule: 'no-restricted-syntax' },
  { file: 'extension/x.ts', code: 'const f = 1; export { f as default };', rule: 'no-restricted-exports' },
];

const permitted: { file: string; code: string }[] = [
  { file: 'extension/x.ts', code: "import 'vscode'; import 'node:path'; import '../daemon/protocol/codes.ts';" },
  { file: 'extension/x.ts', code: "import '../daemon/client/daemonClient.ts';" },
  {
    file: 'daemon/client/x.ts',
    code: "import '../protocol/codes.ts'; import '../wire/pipePath.ts'; import 'node:net';",
  },
  { file: 'daemon/client/x.ts', code: "import 'vscode-jsonrpc/node';" },
  { file: 'daemon/control/x.ts', code: "import '../wire/proof.ts'; import '../wire/rpcOver.ts';" },
  { file: 'daemon/protocol/x.ts', code: "import './codes.ts';" },
  { file: 'daemon/resolution/x.ts', code: "import '../registry/model.ts'; import '../protocol/model.ts';" },
  { file: 'daemon/registry/x.ts', code: 'f(new Date(0), Date.parse(text), Math.max(1, 2));' },
  {
    file: 'daemon/registry/delivery/retryPolicy.ts',
    code: "import './outboxRules.ts'; import '../model.ts';",
  },
  {
    file: 'daemon/sync/outbox.ts',
    code: "import '../registry/delivery/outboxRules.ts'; import 'node:fs'; f(Date.now());",
  },
  { file: 'daemon/postgres/deep/x.ts', code: "import '../pool.ts'; import 'pg'; import '../../registry/model.ts';" },
  { file: 'daemon/connect/x.ts', code: "import '../files/x.ts'; import '../git/x.ts'; import '../protocol/x.ts';" },
  { file: 'daemon/git/x.ts', code: "import '../files/x.ts';" },
  { file: 'daemon/mcp/x.ts', code: "import '@modelcontextprotocol/sdk/types.js';" },
  { file: 'daemon/engine/x.ts', code: "import '../postgres/pool.ts'; import '../config/x.ts'; f(process.env);" },
  { file: 'daemon/config/x.ts', code: "spawn('psql', ['git']); f('git');" },
  { file: 'test/postgres/x.test.ts', code: "import 'pg'; import '../../daemon/postgres/connection/pool.ts';" },
  { file: 'test/extension/host/x.ts', code: "import 'vscode';" },
];

describe('import rules', () => {
  // The snippets are not files of the project, so the rules that need types are off here.
  const eslint = new ESLint({
    cwd: root,
    overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }],
  });

  async function objections(file: string, code: string): Promise<string[]> {
    const results = await eslint.lintText(code, { filePath: path.join(root, file) });
    const messages = results.flatMap((result) => result.messages);
    assert.deepEqual(
      messages.filter((message) => message.fatal),
      [],
    );
    return messages.map((message) => message.ruleId ?? '').filter((rule) => /^(registrar\/|no-restricted-)/.test(rule));
  }

  for (const { file, code, rule } of violations) {
    it(`${file} may not say: ${code}`, async () => {
      assert.deepEqual(await objections(file, code), [rule]);
    });
  }

  for (const { file, code } of permitted) {
    it(`${file} may say: ${code}`, async () => {
      assert.deepEqual(await objections(file, code), []);
    });
  }
});
