import type { Resolution } from '../daemon/protocol/model.ts';

/** A resolution that did not resolve would be a fast one: it must not pass for a figure. */
export async function resolved(asked: Promise<Resolution>): Promise<{ id: string; databaseName: string }> {
  const { project, outcome, error, stale } = await asked;
  if (outcome !== 'resolved' || project === null || stale) {
    throw new Error(`nothing was resolved: ${outcome}, ${error?.message ?? ''}`);
  }
  return project;
}
