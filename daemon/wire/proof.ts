import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A text that is used once. */
export function newNonce(): string {
  return randomBytes(32).toString('hex');
}

/**
 * Shows that one side knows the token, without showing the token. Both nonces are in it, so that an answer that was heard
 * serves nowhere else; the side is in it, so that neither can send the other's proof back.
 */
export function proofOf(token: string, side: 'client' | 'daemon', peerNonce: string, ownNonce: string): string {
  return createHmac('sha256', token).update(`${side}:${peerNonce}:${ownNonce}`).digest('hex');
}

export function isProof(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
