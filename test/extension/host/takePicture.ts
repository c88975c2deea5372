import { ask, hasPage } from './ask.ts';

/** Asks the launcher for a picture of the window; does nothing in a desktop VS Code, where nobody can take it. */
export async function takePicture(name: string): Promise<void> {
  if (hasPage) await ask('picture', name);
}
