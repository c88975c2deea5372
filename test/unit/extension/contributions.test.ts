import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import texts from '../../../package.nls.json' with { type: 'json' };
import manifest from '../../../package.json' with { type: 'json' };
import {
  commandIds,
  containerId,
  contextKeys,
  mcpProviderId,
  settingIds,
  viewId,
  walkthroughId,
} from '../../../extension/contributions.ts';
import { cures, cureTitles } from '../../../extension/views/cures.ts';

const { commands, configuration, menus, views, viewsContainers, viewsWelcome, walkthroughs } = manifest.contributes;

describe('contributions', () => {
  it('names exactly the commands of the manifest', () => {
    const contributed = commands.map(({ command }) => command);
    assert.deepEqual(Object.values(commandIds).sort(), contributed.sort());
  });

  it('puts every command into the category Registrar, without repeating it in the title, and gives it an icon', () => {
    for (const { category, title, icon } of commands) {
      assert.equal(category, 'Registrar');
      assert.doesNotMatch(shown(title), /registrar/i);
      assert.match(icon, /^\$\([a-z-]+\)$/);
    }
  });

  it('names the view, its container and the settings of the manifest', () => {
    assert.deepEqual(
      viewsContainers.activitybar.map(({ id }) => id),
      [containerId],
    );
    assert.deepEqual(
      views[containerId].map(({ id }) => id),
      [viewId],
    );
    assert.deepEqual(Object.keys(configuration.properties), Object.values(settingIds));
    assert.deepEqual(
      manifest.contributes.mcpServerDefinitionProviders.map(({ id }) => id),
      [mcpProviderId],
    );
  });

  it('shows every text that can be translated, and keeps none that nothing shows', () => {
    const asked = [...JSON.stringify(manifest).matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key ?? '');
    assert.deepEqual([...new Set(asked)].sort(), Object.keys(texts).sort());
    const titles = [...commands.map(({ title }) => title), ...viewsWelcome.map(({ contents }) => contents)];
    for (const title of titles) assert.match(title, /^%.+%$/);
  });

  it('refers in menus and welcomes only to commands that there are', () => {
    const known = new Set<string>(Object.values(commandIds));
    const inMenus = Object.values(menus)
      .flat()
      .map(({ command }) => command);
    const steps = walkthroughs.flatMap((walkthrough) => walkthrough.steps);
    const texts = [...viewsWelcome.map(({ contents }) => contents), ...steps.map(({ description }) => description)];
    const links = texts.flatMap((text) => [...shown(text).matchAll(/command:(registrar\.[\w.]+)/g)]);
    const done = steps
      .flatMap(({ completionEvents }) => completionEvents)
      .filter((event) => event.startsWith('onCommand:'));
    const asked = [...links.map((link) => link[1] ?? ''), ...done.map((event) => event.slice('onCommand:'.length))];
    for (const command of [...inMenus, ...asked]) {
      assert.ok(known.has(command) || command === `${viewId}.focus`, command);
    }
  });

  it('asks in conditions only for context keys that are set', () => {
    const known = new Set<string>([...Object.values(contextKeys), ...views[containerId].map(({ id }) => id)]);
    const conditions = [
      ...commands.map(({ enablement }) => enablement ?? ''),
      ...Object.values(menus).flatMap((entries) => entries.map(({ when }) => when)),
      ...viewsWelcome.map(({ when }) => when),
      ...walkthroughs
        .flatMap(({ steps }) => steps.flatMap(({ completionEvents }) => completionEvents))
        .filter((event) => event.startsWith('onContext:')),
    ];
    const asked = conditions.flatMap((text) => [...text.matchAll(/registrar\.\w+/g)].map(([key]) => key));
    assert.ok(asked.length > 0);
    for (const key of asked) assert.ok(known.has(key), key);
  });

  it('offers at most three actions on a row of the tree', () => {
    const inline = menus['view/item/context'].filter(({ group }) => group.startsWith('inline'));
    for (const context of contextValues) {
      const shown = inline.filter(({ when }) => matches(when, context));
      assert.ok(shown.length <= 3, `${context}: ${shown.map(({ command }) => command).join(', ')}`);
      assert.equal(new Set(shown.map(({ group }) => group)).size, shown.length, `${context}: two at one place`);
    }
  });

  it('offers on a row what it offers in a notification, the likeliest first', () => {
    const onlyNotified: ReadonlySet<string> = new Set(['not-chosen', 'address', 'drift', 'daemon', 'none']);
    for (const [kind, expected] of Object.entries(cures)) {
      if (onlyNotified.has(kind)) continue;
      const offered = menus['view/item/context']
        .filter(({ when }) => matches(when, `trouble.${kind}`))
        .sort((one, other) => Number(!one.group.startsWith('inline')) - Number(!other.group.startsWith('inline')))
        .sort((one, other) => (one.group.startsWith('inline') ? one.group.localeCompare(other.group) : 0))
        .map(({ command }) => command);
      assert.deepEqual([...new Set(offered)].slice(0, expected.length), expected, kind);
    }
  });

  it('names what helps against a refusal as the manifest names the command', () => {
    for (const [command, title] of Object.entries(cureTitles)) {
      const known = commands.find((contributed) => contributed.command === command);
      assert.ok(known, command);
      assert.equal(title, shown(known.title));
    }
    for (const command of Object.values(cures).flat()) assert.ok(command in cureTitles, command);
  });

  it('has a walkthrough of four steps, each ticked by what is so and with a picture for every kind of theme', () => {
    assert.deepEqual(
      walkthroughs.map(({ id, steps }) => [id, steps.length]),
      [[walkthroughId, 4]],
    );
    for (const { completionEvents, media } of walkthroughs.flatMap(({ steps }) => steps)) {
      assert.equal(completionEvents.length, 1);
      for (const picture of Object.values(media.image)) assert.ok(existsSync(picture), picture);
      assert.notEqual(shown(media.altText), '');
    }
  });

  it('keeps what only rows of the tree offer out of the palette', () => {
    const hidden = menus.commandPalette.filter(({ when }) => when === 'false').map(({ command }) => command);
    const ids = Object.values(commandIds);
    assert.deepEqual(hidden.sort(), ids.slice(ids.indexOf(commandIds.manageTrust)).sort());
  });
});

/** What a person reads where the manifest names a text. */
function shown(reference: string): string {
  const text = Object.entries(texts).find(([key]) => reference === `%${key}%`)?.[1];
  assert.ok(text !== undefined, reference);
  return text;
}

/** What rows of the tree are known by. */
const contextValues = [
  ...['project', 'no-project', 'not-made', 'refused', 'conflict', 'unreachable', 'restricted', 'waiting'].map(
    (verdict) => `folder.${verdict}`,
  ),
  ...[...Object.keys(cures), 'restricted', 'pending', 'parked', 'stale', 'not-made', 'warning'].map(
    (kind) => `trouble.${kind}`,
  ),
  ...[
    'server',
    'why',
    'why.config',
    'project',
    'project.dropping',
    'projects',
    'projects.filtered',
    'more',
    'agent',
    'agents',
  ],
];

/** The part of a `when` clause that is about the row. */
function matches(when: string, context: string): boolean {
  const equal = /viewItem == (\S+)/.exec(when)?.[1];
  if (equal !== undefined) return context === equal;
  const pattern = /viewItem =~ \/(.+)\/$/.exec(when)?.[1];
  assert.ok(pattern !== undefined, when);
  return new RegExp(pattern).test(context);
}
