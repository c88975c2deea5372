import type { Settings, WindowSettings } from '../protocol/settings.ts';
import type { EngineLog } from './engine.ts';

export interface SettingsKeeping {
  readSettings(): Promise<Settings>;
  updateSettings(change: (settings: Settings) => Settings): Promise<Settings>;
  log: EngineLog;
}

/**
 * Saves the settings that a window sent, if they differ.
 *
 * @returns the settings that apply now; null if they could not be saved (the window attaches all the same)
 */
export async function keepWindowSettings(brought: WindowSettings, keeping: SettingsKeeping): Promise<Settings | null> {
  const { log } = keeping;
  try {
    const before = await keeping.readSettings();
    const isNew = Object.entries(brought).some(([name, value]) => before[name as keyof WindowSettings] !== value);
    if (!isNew) return before;
    const kept = await keeping.updateSettings((now) => ({ ...now, ...brought }));
    log.info({ operation: 'settings' }, 'a window changed settings');
    return kept;
  } catch (error) {
    log.warn({ operation: 'settings', reason: String(error) }, 'settings from a window could not be saved');
    return null;
  }
}
