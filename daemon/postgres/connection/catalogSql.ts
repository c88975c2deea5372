/**
 * Operators of the system's own. A name without its schema is looked up along `search_path`, which a database's owner
 * may set, and even with the usual path an operator in `public` that fits its operands' types exactly is taken before
 * the system's. So SQL that runs where the path is not ours qualifies everything, and avoids what cannot be qualified:
 * IN, BETWEEN, LIKE, IS DISTINCT FROM, NULLIF, a CASE with an operand, JOIN … USING.
 */
export const eq = 'operator(pg_catalog.=)';
export const ne = 'operator(pg_catalog.<>)';
export const gt = 'operator(pg_catalog.>)';
export const ge = 'operator(pg_catalog.>=)';
export const le = 'operator(pg_catalog.<=)';

/** Matches databases with their comments: `d` is a row of `pg_database`, `s` its description, null where it has none. */
export const commentsJoinSql = `left join pg_catalog.pg_shdescription s
    on s.objoid ${eq} d.oid and s.classoid ${eq} 'pg_catalog.pg_database'::pg_catalog.regclass`;

/** True for a database whose DROP was interrupted. */
export const interruptedSql = `d.datconnlimit ${eq} -2`;
