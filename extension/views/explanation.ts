import { hintChoices } from '../../daemon/protocol/hintChoices.ts';
import type { Attempt, Resolution } from '../../daemon/protocol/model.ts';
import type { WorkspaceFolder } from '../windowState.ts';
import { codeSpan, escapeMarkdown } from './inertText.ts';
import { isServerDown, sentence, shortPath, sourceWords } from './words.ts';
import { lastKnownText, stateWords } from '../../daemon/protocol/stateWords.ts';

interface View {
  home: string;
  now: Date;
}

/** A resolution as a Markdown document: the answer, how it was found, what to know and what to do. */
export function explanation(resolution: Resolution, folder: WorkspaceFolder, view: View): string {
  const { project, trace, warnings, error, wouldDo } = resolution;
  const shown = (text: string): string => escapeMarkdown(text.replaceAll(view.home, '~'));
  return [
    `# ${escapeMarkdown(project?.name ?? folder.name)}`,
    answerText(resolution, folder, view),
    ...(error ? [`**${shown(sentence(error.message))}**`, nextText(error.hint, shown)] : []),
    '## Why',
    traceTable(trace, shown),
    ...(wouldDo && wouldDo.length > 0
      ? ['## What Resolve Again would do', wouldDo.map((step) => `- ${shown(step)}`).join('\n')]
      : []),
    ...(warnings.length > 0
      ? [
          '## To know',
          warnings.map(({ message, hint }) => `- ${shown(sentence(message))} ${shown(sentence(hint))}`).join('\n'),
        ]
      : []),
    ...(project ? ['## The project', projectFacts(resolution, view)] : []),
    '',
  ].join('\n\n');
}

/** Of several ways out each by itself, its command as code, which can be copied. */
function nextText(hint: string, shown: (text: string) => string): string {
  const choices = hintChoices(hint);
  if (choices.length === 0) return `Next: ${shown(hint)}`;
  return [
    'Next, one of these:',
    '',
    ...choices.map(({ command, why }) => `- ${means(why, shown)}${codeSpan(command)}`),
  ].join('\n');
}

function means(why: string | null, shown: (text: string) => string): string {
  return why === null ? '' : `${shown(why)}: `;
}

function answerText({ project, server, stale, sync }: Resolution, folder: WorkspaceFolder, view: View): string {
  const where = codeSpan(shortPath(folder.path, view.home));
  if (!project) return `No project for ${where}.`;
  const state = stale
    ? `${lastKnownText(sync, view.now)}; ${isServerDown(sync) ? 'the server does not answer' : 'the registry could not be asked'}`
    : stateWords[sync?.state ?? 'synced'];
  const on = server ? ` on ${codeSpan(server.address)} (${sourceWords[server.source]})` : '';
  return `${where} belongs to project **${escapeMarkdown(project.name)}**: database ${codeSpan(project.databaseName)}${on}, ${state}.`;
}

function traceTable(trace: readonly Attempt[], shown: (text: string) => string): string {
  const rows = trace.map(({ tier, name, outcome, reason, durationMs }) => {
    const word = name === 'identity' && outcome === 'matched' ? 'agrees' : outcome;
    const took = durationMs < 0.05 ? '' : `${durationMs.toFixed(1)} ms`;
    return `| ${tier ?? ''} | ${name} | ${word} | ${shown(reason)} | ${took} |`;
  });
  return ['| tier | source | outcome | reason | took |', '| --- | --- | --- | --- | ---: |', ...rows].join('\n');
}

function projectFacts({ project, configPath }: Resolution, { home }: View): string {
  const rows = [
    ['id', codeSpan(project?.id ?? '')],
    ['description', escapeMarkdown(project?.description ?? '')],
    ['config file', configPath === null ? '' : codeSpan(shortPath(configPath, home))],
    ['created', momentText(project?.createdAt)],
    ['updated', momentText(project?.updatedAt)],
  ].filter(([, value]) => value !== '');
  return rows.map(([name, value]) => `- ${name}: ${value}`).join('\n');
}

/** `2026-11-03 13:50:00 UTC`. */
function momentText(iso: string | undefined): string {
  return iso === undefined ? '' : new Date(iso).toISOString().replace(/T(.{8}).*$/, ' $1 UTC');
}
