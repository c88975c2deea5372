import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A text that is used once. */
export function newNonce(): string {
  return randomBytes(32).toString('hex');
}

/**
 * Proves that one side knows the token, without revealing it. It contains both nonces, so that an overheard answer is
 * useless elsewhere, and the side, so that neither can send the other's proof back.
 */
export function proofOf(token: string, side: 'client' | 'daemon', peerNonce: string, ownNonce: string): string {
  return createHmac('sha256', token).update(`${side}:${peerNonce}:${ownNonce}`).digest('hex');
}

export function isProof(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
