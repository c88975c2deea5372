import { RegistrarError } from '../protocol/registrarError.ts';
import { decodedText } from '../protocol/decodedText.ts';

/**
 * Refuses an address from the command line that contains a password: argv is in the shell's history, and every user of
 * the machine can see it.
 *
 * @param where names the argument, and `hint` says how to give the password instead
 * @throws RegistrarError `INVALID_ARGUMENT`, without any piece of the address
 */
export function refusePassword(address: string, where: string, hint: string): void {
  if (!holdsPassword(address)) return;
  throw new RegistrarError({ code: 'INVALID_ARGUMENT', message: `${where} holds a password.`, hint });
}

/**
 * A message that may repeat an argument, without the parts where URLs and keywords have passwords. An unencoded
 * password can contain any character, so it ends at the last `@`, and nothing is kept after a keyword.
 */
export function withoutPasswords(message: string): string {
  return message.replaceAll(/(\/\/[^:@/\s']*):.*@/gs, '$1:…@').replace(/(password\s*=).*/is, '$1…');
}

/** If libpq and people would disagree about what the password is, says yes. */
function holdsPassword(address: string): boolean {
  if (!/^\w+:\/\//.test(address)) return /(?:^|\s)(?:ssl)?password\s*=/i.test(address);
  const [beforeQuery = '', ...query] = address.replace(/^\w+:\/\//, '').split('?');
  const userInfo = beforeQuery.slice(0, Math.max(beforeQuery.lastIndexOf('@'), 0));
  if (/:./.test(userInfo)) return true;
  return query
    .join('?')
    .split('&')
    .some((pair) => /^(?:ssl)?password=/i.test(decodedText(pair)));
}
