import * as vscode from 'vscode';
import { ask, hasPage } from './ask.ts';
import { waitFor } from './waitFor.ts';

/** Asks the launcher for a picture of the window; does nothing in a desktop VS Code, where nobody can take it. */
export async function takePicture(name: string): Promise<void> {
  if (hasPage) await ask('picture', name);
}

const themes = { light: 'Default Light Modern', dark: 'Default Dark Modern', contrast: 'Default High Contrast' };
/** How the page says which kind of theme it shows. */
const pageClasses = { light: 'vs', dark: 'vs-dark', contrast: 'hc-black' };

/** The same window in light, dark and high contrast. */
export async function takePictures(name: string): Promise<void> {
  if (!hasPage) return;
  const settings = vscode.workspace.getConfiguration('workbench');
  for (const kind of ['dark', 'contrast', 'light'] as const) {
    await settings.update('colorTheme', themes[kind], vscode.ConfigurationTarget.Global);
    const isShown = async (): Promise<boolean> => (await ask<string[]>('classes')).includes(pageClasses[kind]);
    await waitFor(`the theme ${themes[kind]}`, isShown);
    await takePicture(`${name}-${kind}`);
  }
}
