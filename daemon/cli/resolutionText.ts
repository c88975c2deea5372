import type { Attempt, Resolution, Warning } from '../protocol/model.ts';
import type { ErrorReport } from '../protocol/registrarError.ts';
import { hintChoices } from '../protocol/hintChoices.ts';
import { hintLines } from './hintText.ts';
import { nextTry, shown } from './terminalText.ts';
import type { TextView } from './terminalText.ts';
import { lastKnownText, stateWords } from '../protocol/stateWords.ts';

/**
 * A resolution as people read it: the answer, its trace, what is wrong and what to do.
 *
 * @param selection the options that lead to the same project from here, such as ` --project shop`; empty when none are needed
 * @returns lines without a line break at the end
 */
export function resolutionText(resolution: Resolution, view: TextView, selection = ''): string {
  const { error, trace, warnings, wouldDo } = resolution;
  const steps = (wouldDo ?? []).map((step) => `  would: ${shown(step, view.home)}`);
  const lines = [
    error ? errorLine(error, view) : answerLine(resolution, view),
    ...trace.map((attempt) => view.paint('dim', traceLine(attempt, error, view))),
    ...steps,
    ...warnings.flatMap((warning) => warningLines(warning, resolution, view)),
  ];
  if (error) lines.push(...hintLines(hintFor(error, selection), view, '  '));
  else if (steps.length > 0)
    lines.push(...hintLines('the same without --dry-run (and without dry_run in the config)', view));
  else if (warnings.length === 0) lines.push(...hintLines(`registrar exec${selection} -- npm run migrate`, view));
  return lines.join('\n');
}

/** An error as people read it: what happened, then what to do next. */
export function errorText(error: ErrorReport, view: TextView): string {
  return [errorLine(error, view), ...hintLines(error.hint, view, '  ')].join('\n');
}

/** The hint is about the current folder, which may not be the one that was asked about. */
function hintFor({ hint }: ErrorReport, selection: string): string {
  if (!selection.startsWith(' --directory ')) return hint;
  const choices = hintChoices(hint);
  if (choices.length === 0) return hint;
  return choices
    .map(({ command, why }) => `${inFolder(command, selection)}${why === null ? '' : ` (${why})`}`)
    .join(' | ');
}

/** Those that act on a folder; what stands after `--` is no option. */
function inFolder(command: string, selection: string): string {
  if (!/^registrar (init|use) /.test(command)) return command;
  const [options = '', operands] = command.split(/(?= -- )/);
  return `${options}${selection}${operands ?? ''}`;
}

function errorLine({ code, message }: ErrorReport, view: TextView): string {
  return `${view.paint('red', code)}: ${shown(message, view.home)}`;
}

function answerLine(resolution: Resolution, view: TextView): string {
  const { project, server } = resolution;
  const state = stateText(resolution, view);
  if (!project) return state;
  const where = server ? ` on ${shown(server.address, view.home)}` : '';
  return `${view.paint('bold', shown(project.name, view.home))} → ${shown(project.databaseName, view.home)}${where}   ${state}`;
}

function stateText({ created, stale, sync, wouldDo }: Resolution, view: TextView): string {
  if (stale) return lastKnownText(sync, view.now);
  if (wouldDo !== null && wouldDo.length > 0) return 'dry run, nothing was changed';
  return `${created ? 'created' : 'ready'}, ${stateWords[sync?.state ?? 'synced']}`;
}

/** Names and outcomes are padded to the longest possible, so that all answers align alike. */
function traceLine(attempt: Attempt, error: ErrorReport | null, view: TextView): string {
  const { name, outcome, durationMs } = attempt;
  const agrees = name === 'identity' && outcome === 'matched';
  const reason = agrees ? '' : traceReason(attempt, error);
  const duration = outcome === 'skipped' || durationMs < 0.05 ? '' : `   ${durationText(durationMs)}`;
  const words = `  ${name.padEnd(8)}  ${(agrees ? 'agrees' : outcome).padEnd(7)}  ${shown(reason, view.home)}`;
  return (words.trimEnd() + duration).trimEnd();
}

function traceReason({ name, outcome, reason }: Attempt, error: ErrorReport | null): string {
  if (name === 'explicit' && outcome === 'skipped') return 'no --project';
  return reason === error?.message ? 'see above' : reason;
}

function durationText(durationMs: number): string {
  if (durationMs >= 1000) return `${(durationMs / 1000).toFixed(1)} s`;
  return `${durationMs.toFixed(durationMs < 100 ? 1 : 0)} ms`;
}

function warningLines(warning: Warning, { sync }: Resolution, view: TextView): string[] {
  const line = (message: string): string => `  ${view.paint('yellow', 'warning:')} ${shown(message, view.home)}`;
  const next = sync?.error?.nextAttemptAt;
  if (warning.code === 'PENDING' && sync?.error && next !== undefined) {
    return [line(`${sync.error.message}; saved on this machine, ${nextTry(next, view.now)}`)];
  }
  // These two need no action: one is retried, the other goes away when the server answers.
  if (warning.code === 'PENDING' || warning.code === 'STALE') return [line(warning.message)];
  return [line(warning.message), ...hintLines(warning.hint, view, '  ')];
}
