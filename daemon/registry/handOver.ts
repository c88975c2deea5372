import type { Project } from '../protocol/model.ts';
import { named, quoted } from '../protocol/visibleText.ts';
import { databaseForeign, markerMissing, projectForgotten } from './failures.ts';
import { readMarker, standingOf } from './marker.ts';
import { readRegistrarMetadata } from './rowMetadata.ts';

/** What a database said of itself on a connection to it. */
export interface DatabaseWord {
  databaseName: string;
  /** Its comment, which holds its marker. */
  comment: string | null;
}

/**
 * Lets a database be handed over as the project's only when the database itself has just said so.
 *
 * @param registry the registry's name as markers carry it
 * @throws RegistrarError DATABASE_FOREIGN, MARKER_MISSING, PROJECT_FORGOTTEN
 */
export function requireOwnWord(project: Project, registry: string, said: DatabaseWord): void {
  const { databaseName } = project;
  // A pooler may give a database a name that belongs to another one on the server.
  if (said.databaseName !== databaseName) {
    throw databaseForeign(
      project,
      databaseName,
      `the server gave database ${named(said.databaseName)} under that name`,
    );
  }
  const row = { ...project, registrar: readRegistrarMetadata(project.metadata) };
  switch (standingOf(said.comment, row, registry)) {
    case 'mine':
      return;
    case 'none':
      throw markerMissing(project);
    case 'forgotten':
      throw projectForgotten(project.name, databaseName);
    case 'other':
      throw databaseForeign(project, databaseName, ownerByMarker(said.comment, registry));
  }
}

/** Who owns a database according to its marker, as the end of a sentence. */
export function ownerByMarker(comment: string | null, registry: string): string {
  const reading = readMarker(comment);
  if (reading.kind === 'none') return 'it carries no marker';
  const { marker } = reading;
  const of = marker.registry === registry ? '' : ` of registry ${named(marker.registry)}`;
  return `its marker says project ${quoted(marker.name)} (${marker.projectId})${of}`;
}
