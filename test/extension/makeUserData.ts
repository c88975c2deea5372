import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Settings that leave nothing in the window but the editor and the extension. */
export const quietSettings = {
  'workbench.startupEditor': 'none',
  'chat.disableAIFeatures': true,
  // In a browser VS Code saves by itself what a test only types.
  'files.autoSave': 'off',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'security.workspace.trust.startupPrompt': 'never',
  'security.workspace.trust.banner': 'never',
};

/** Makes the folder in which a VS Code keeps its settings and state. */
export async function makeUserData(userData: string): Promise<string> {
  await writeSettings(userData, quietSettings);
  return userData;
}

/** A VS Code that runs notices it by itself. */
export async function writeSettings(userData: string, settings: Record<string, unknown>): Promise<void> {
  await mkdir(path.join(userData, 'User'), { recursive: true });
  await writeFile(path.join(userData, 'User/settings.json'), JSON.stringify(settings));
}
