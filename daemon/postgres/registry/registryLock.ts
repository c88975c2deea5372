import type pg from 'pg';
import { unreachableFor } from './registryFaults.ts';
import { sqlState } from '../connection/sqlErrors.ts';

/** Row 0 of `registrar_migrations` is no migration: its name is what makes the keys of this registry's locks its own. */
const secretSql = `select name from public.registrar_migrations where number OPERATOR(pg_catalog.=) 0`;
const makeSecretSql = `
  insert into public.registrar_migrations (number, name) values (0, pg_catalog.gen_random_uuid()::pg_catalog.text)
  on conflict do nothing`;

/** Waits for the lock of a text, which the transaction's end gives back. */
export const takeLockSql = 'select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))';

export type Ask = (text: string) => Promise<Record<string, unknown>[]>;

/**
 * Runs `work` on a connection to the registry while nobody else has the lock of this key, in a transaction that is
 * rolled back.
 *
 * The key cannot be guessed by those who may connect to the registry and not read it: it depends on a random text in
 * one of its tables. If that table is missing, as in a registry that codebase-mcp made, or may not be read, the key can
 * be guessed. Whoever takes the lock then makes others wait, and nothing more.
 *
 * @param waitMs how long others may hold it; then REGISTRY_UNREACHABLE is thrown and nothing was done
 */
export async function withRegistryLock<T>(
  client: pg.Client,
  key: string,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const secret = await lockSecret(async (text) => (await client.query<Record<string, unknown>>(text)).rows);
  // The role's own limits are for applications; this is about another daemon's work.
  await client.query(`begin; set local statement_timeout = 0; set local lock_timeout = ${waitMs}`);
  await client.query(takeLockSql, [lockText(secret, key)]).catch((error: unknown) => {
    throw sqlState(error) === '55P03' ? unreachableFor(`what another daemon is doing (${key})`, waitMs) : error;
  });
  const result = await work();
  await client.query('rollback');
  return result;
}

/** What makes this registry's keys its own; empty where it cannot be had. Made by whoever needs it first. */
export async function lockSecret(ask: Ask): Promise<string> {
  return (await read(ask)) ?? (await make(ask)) ?? '';
}

export function lockText(secret: string, key: string): string {
  return `registrar ${secret} ${key}`;
}

/** Committed at once, for everybody; of several who make it together one does. */
async function make(ask: Ask): Promise<string | null> {
  await orNothing(ask(makeSecretSql));
  return read(ask);
}

async function read(ask: Ask): Promise<string | null> {
  const name = (await orNothing(ask(secretSql)))?.[0]?.['name'];
  return typeof name === 'string' ? name : null;
}

/** Null where the server refuses: the table is not there, or this role may not. Any other trouble would give another key. */
async function orNothing<T>(asked: Promise<T>): Promise<T | null> {
  return asked.catch((error: unknown) => {
    if (!refusals.has(sqlState(error))) throw error;
    return null;
  });
}

/** undefined_table, undefined_column, insufficient_privilege, and writing where nothing is to be written. */
const refusals: ReadonlySet<string | null> = new Set(['42P01', '42703', '42501', '25006']);
