import { shellWord } from '../protocol/commandText.ts';

/** A script and the Node that runs it; null for whichever is on the PATH. */
interface Program {
  script: string;
  node: string | null;
}

/** A launcher for POSIX shells: the newest script that exists, with its own Node, else with any other that exists. */
export function launcherScript(newestFirst: readonly Program[]): string {
  return [
    '#!/bin/sh',
    '# Starts the newest Project Registrar that is installed. Rewritten whenever its daemon starts.',
    'start() {',
    '  script=$1',
    '  node=$2',
    '  shift 2',
    '  if [ -f "$script" ] && [ -x "$node" ]; then',
    '    # Electron acts as Node only when told so.',
    '    ELECTRON_RUN_AS_NODE=1',
    '    export ELECTRON_RUN_AS_NODE',
    '    exec "$node" "$script" "$@"',
    '  fi',
    '}',
    ...candidates(newestFirst).map(({ script, node }) => {
      const runtime = node === null ? '"$(command -v node)"' : shellWord(node, 'sh');
      return `start ${shellWord(script, 'sh')} ${runtime} "$@"`;
    }),
    `echo '${nothingLeft}' >&2`,
    'exit 3',
    '',
  ].join('\n');
}

/** The same for Windows. */
export function launcherCommand(newestFirst: readonly Program[]): string {
  return [
    '@echo off',
    'rem Starts the newest Project Registrar that is installed. Rewritten whenever its daemon starts.',
    'setlocal',
    // The paths below are UTF-8, and users have names.
    'chcp 65001 >nul',
    'set "onpath="',
    'for %%N in (node.exe) do set "onpath=%%~$PATH:N"',
    ...candidates(newestFirst).map(({ script, node }) => {
      const [file, runtime] = [batchQuoted(script), node === null ? '%onpath%' : batchQuoted(node)];
      return `if exist "${file}" if exist "${runtime}" set "script=${file}" & set "node=${runtime}" & goto start`;
    }),
    `echo ${nothingLeft} 1>&2`,
    'exit /b 3',
    ':start',
    'set ELECTRON_RUN_AS_NODE=1',
    '"%node%" "%script%" %*',
    'exit /b %errorlevel%',
    '',
  ].join('\r\n');
}

const nothingLeft = 'No installation of Project Registrar can be started. Install it again.';

/** Scripts by age, each with the runtimes to try; null stands for the `node` of PATH. */
function candidates(newestFirst: readonly Program[]): { script: string; node: string | null }[] {
  const nodes = [...new Set(newestFirst.map(({ node }) => node))];
  return [...new Set(newestFirst.map(({ script }) => script))].flatMap((script) => {
    const own = newestFirst.filter((installation) => installation.script === script).map(({ node }) => node);
    return [...new Set([...own, ...nodes]), null].map((node) => ({ script, node }));
  });
}

/** Quotes cannot be part of a path there; only % has a meaning inside of them. */
function batchQuoted(path: string): string {
  return path.replaceAll('%', '%%');
}
