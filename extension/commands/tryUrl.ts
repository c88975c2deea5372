import type { TriedAddress } from '../../daemon/protocol/control.ts';
import { RegistrarError, type ErrorReport } from '../../daemon/protocol/registrarError.ts';
import { sentence } from '../views/words.ts';
import { askStep } from './askStep.ts';
import type { CommandContext } from './commandContext.ts';

/** The outcome of trying an address: it accepted the login, requires a password, or does not work. */
export type TryResult =
  { kind: 'in'; tried: TriedAddress } | { kind: 'password' } | { kind: 'problem'; said: string; error: ErrorReport };

/** An address that accepted the login. */
export interface Found extends TriedAddress {
  /** The password that worked; null if none was needed from here. */
  typed: string | null;
}

/** @param url the one that the daemon serves when null */
export async function tryUrl(
  { link }: Pick<CommandContext, 'link'>,
  url: string | null,
  password: string | null,
): Promise<TryResult> {
  try {
    return { kind: 'in', tried: await link.call('tryAddress', { url, password }) };
  } catch (error) {
    if (!(error instanceof RegistrarError)) throw error;
    const { code, message, hint, details } = error;
    // 28000: the server does not let this user in from here, whatever the password.
    if (code === 'CREDENTIALS_REQUIRED' && password === null && details?.['sqlState'] !== '28000') {
      return { kind: 'password' };
    }
    // The hint speaks of the terminal, and the question is asked here.
    const advice = code === 'CREDENTIALS_REQUIRED' ? '' : ` ${sentence(hint)}`;
    return { kind: 'problem', said: `${sentence(message)}${advice}`, error: error.toReport() };
  }
}

/** Asks for the password of an address until the server accepts it; null if cancelled. */
export function askPassword(
  context: Pick<CommandContext, 'link'>,
  title: string,
  url: string | null,
): Promise<Found | null> {
  return askStep<Found>({
    title,
    prompt: 'The password; it is kept in VS Code’s secret storage',
    isPassword: true,
    async check(typed) {
      if (typed === '') return { problem: 'The server requires a password.' };
      const result = await tryUrl(context, url, typed);
      if (result.kind === 'password') return { problem: 'The server refused this password.' };
      return result.kind === 'in' ? { value: { ...result.tried, typed } } : { problem: result.said };
    },
  });
}
