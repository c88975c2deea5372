import type { PlaceName, Program, Remedy } from './programs.ts';

/** How a program fared in one place. */
export type Outcome =
  | { kind: 'landed'; remedy: Remedy | null }
  /** The whole of what it printed is in `log`. */
  | { kind: 'failed'; log: string }
  /** What it is made of is not here. */
  | { kind: 'missing'; log: string };

export interface Row {
  program: Program;
  version: string;
  outcomes: ReadonlyMap<PlaceName, Outcome>;
}

/** How many have to reach the project's database by TCP. */
export const enough = { clients: 8, tools: 5 };

/**
 * Why the run has failed; empty when it has not. A program that does not connect where its entry says that it cannot is no
 * failure, nor is one whose Debian package is missing, as long as enough of the others ran.
 */
export function complaints(clients: readonly Row[], tools: readonly Row[], least = enough): string[] {
  const found: string[] = [];
  for (const { program, outcomes } of [...clients, ...tools]) {
    for (const [place, outcome] of outcomes) {
      if (outcome.kind === 'landed' || program.gaps?.[place] !== undefined) continue;
      if (outcome.kind === 'missing' && program.packages.length === 0) continue;
      found.push(`${program.name}, ${place}: ${outcome.kind}\n${indented(outcome.log)}`);
      // It is the same in every place.
      if (outcome.kind === 'missing') break;
    }
  }
  const running = (rows: readonly Row[]): number => rows.filter((row) => landed(row, 'TCP')).length;
  if (running(clients) < least.clients)
    found.push(`Only ${running(clients)} clients reach the project’s database by TCP; ${least.clients} have to.`);
  if (running(tools) < least.tools)
    found.push(`Only ${running(tools)} migration tools reach it by TCP; ${least.tools} have to.`);
  return found;
}

export function landed({ outcomes }: Row, place: PlaceName): boolean {
  return outcomes.get(place)?.kind === 'landed';
}

/** The line of a log that says most, for a table. */
export function reason(log: string): string {
  const lines = log
    .replaceAll(/\u001b\[[\d;]*m/g, '')
    .split('\n')
    .map((line) => line.trim());
  const said = lines.find((line) => /error|fatal|refused|not found|No module/i.test(line)) ?? lines.at(-1) ?? '';
  return said.replaceAll(/[|`]/g, ' ').slice(0, 110);
}

function indented(log: string): string {
  return log.trim().split('\n').slice(-40).join('\n').replaceAll(/^/gm, '    ');
}
