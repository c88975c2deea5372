import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);
/** PostgreSQL's own default. More would protect a password that can be guessed, and ours cannot. */
const iterations = 4096;

/**
 * What PostgreSQL keeps of a password, made here (RFC 5803), so that the password itself appears in no statement: not in the
 * server's log, not in pg_stat_activity. It also is SCRAM where the server's password_encryption still says md5.
 *
 * @param password printable ASCII, which SASLprep leaves as it is
 */
export async function scramVerifier(password: string): Promise<string> {
  const salt = randomBytes(16);
  const salted = await derive(password, salt, iterations, 32, 'sha256');
  const keyed = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
