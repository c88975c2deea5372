import assert from 'node:assert/strict';
import manifest from '../../../package.json' with { type: 'json' };
import { initializeParams } from '../../../daemon/control/controlParams.ts';
import { daemonSettings, readDaemonSettings } from '../../../extension/daemonSettings.ts';

const properties: Record<string, { default: unknown; scope: string }> = manifest.contributes.configuration.properties;

describe('settings that a window brings', () => {
  it('are in the manifest, for the machine, with a default that the daemon takes', () => {
    const defaults = Object.fromEntries(daemonSettings.map((id) => [id, properties[id]?.default]));
    const read = readDaemonSettings(defaults);
    assert.deepEqual(Object.keys(read), [...daemonSettings]);
    for (const id of daemonSettings) assert.equal(properties[id]?.scope, 'machine', id);
    assert.deepEqual(initializeParams.shape.settings.parse(read), read);
  });

  it('are left out where they are not set, or not what they may be', () => {
    assert.deepEqual(readDaemonSettings({}), {});
    const wrong = {
      'registrar.postgres.ownerRole': 7,
      'registrar.defaultProject.enabled': 'yes',
      'registrar.config.writeId': 'sometimes',
      'registrar.daemon.idleMinutes': -1,
      'registrar.mcp.tools': 'none',
    };
    assert.deepEqual(readDaemonSettings(wrong), {});
  });

  it('say with an empty text that there is none', () => {
    assert.deepEqual(readDaemonSettings({ 'registrar.workflow.url': ' ' }), { 'registrar.workflow.url': null });
  });
});
