/** Every id that the manifest contributes, once; a test compares this table with package.json. */

export const commandIds = {
  openConfig: 'registrar.openConfig',
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];
