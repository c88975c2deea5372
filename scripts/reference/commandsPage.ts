import texts from '../../package.nls.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import { code, table } from './markdown.ts';
import { textOf } from './manifestText.ts';

interface MenuEntry {
  command?: string;
  when?: string;
}

const { commands } = manifest.contributes;
const menus: Record<string, readonly MenuEntry[]> = manifest.contributes.menus;

export function commandsPage(): string {
  const inPalette = commands.filter(({ command }) => paletteCondition(command) !== 'false');
  const elsewhere = commands.filter(({ command }) => paletteCondition(command) === 'false');
  return [
    '# Commands in VS Code',
    'All are in the command palette under **Registrar**, and in the view where they apply.',
    table(
      ['command', 'id', 'also in', 'available when'],
      inPalette.map(({ command, title, enablement }) => [
        textOf(title, texts),
        code(command),
        places(command),
        conditionText([enablement, paletteCondition(command)]),
      ]),
    ),
    '## Only on rows of the view',
    'The view offers these on the row that reports the problem.',
    table(
      ['command', 'id'],
      elsewhere.map(({ command, title }) => [textOf(title, texts), code(command)]),
    ),
  ].join('\n\n');
}

function paletteCondition(id: string): string | undefined {
  return menus['commandPalette']?.find(({ command }) => command === id)?.when;
}

const placeNames: Record<string, string> = {
  'view/title': 'the view’s title',
  'view/item/context': 'the view’s rows',
  'editor/title': 'the title of the config file’s editor',
};

function places(id: string): string {
  return Object.entries(menus)
    .filter(([menu, entries]) => menu !== 'commandPalette' && entries.some(({ command }) => command === id))
    .map(([menu]) => placeNames[menu] ?? code(menu))
    .join(', ');
}

const conditionWords: Record<string, string> = {
  'registrar.isReady': 'the daemon answers',
  'registrar.hasProject': 'the folder has a project',
  'registrar.hasPsql': 'psql was found',
  'registrar.isFiltered': 'the list is filtered',
  isWorkspaceTrusted: 'the folder is trusted',
  'workspaceFolderCount > 0': 'a folder is open',
};

function conditionText(conditions: readonly (string | undefined)[]): string {
  const terms = conditions.flatMap((condition) => condition?.split(' && ') ?? []);
  return [...new Set(terms)].map((term) => conditionWords[term] ?? code(term)).join(', ');
}
