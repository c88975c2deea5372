import { RegistrarError } from './registrarError.ts';

/** How many rows an answer has at most. Throws INVALID_ARGUMENT where it is not what the answer can hold. */
export function rowLimit(limit = 100): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new RegistrarError({
    code: 'INVALID_ARGUMENT',
    message: `limit must be a whole number from 1 to 1000, not ${limit}.`,
    hint: 'Leave it out for 100.',
  });
}
