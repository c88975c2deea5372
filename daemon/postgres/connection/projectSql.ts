import pg from 'pg';

declare const isOurs: unique symbol;

/**
 * SQL of Registrar's own for a project's database, made by `projectSql` alone. Its type keeps other people's text out:
 * the only run-time parts are numbers, and names and values that are quoted here.
 */
export type ProjectSql = string & { readonly [isOurs]: true };

/** A statement for a project's database: projectSql`select 1`. */
export function projectSql(texts: TemplateStringsArray, ...parts: readonly (ProjectSql | number)[]): ProjectSql {
  return texts.reduce((sql, text, index) => `${sql}${parts[index - 1] ?? ''}${text}`) as ProjectSql;
}

/** A name, quoted. */
export function identifier(name: string): ProjectSql {
  return pg.escapeIdentifier(name) as ProjectSql;
}

/** A text, quoted: for the statements that take no parameters. */
export function literal(value: string): ProjectSql {
  return pg.escapeLiteral(value) as ProjectSql;
}

/** What the server quoted itself, with its own `format` under the pinned path. */
export function quotedByServer(text: string): ProjectSql {
  return text as ProjectSql;
}

/** Several with commas between them. */
export function listed(parts: readonly ProjectSql[]): ProjectSql {
  return parts.join(', ') as ProjectSql;
}
