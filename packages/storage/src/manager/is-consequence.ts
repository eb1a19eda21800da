import { CannotKnowError } from '../fallback/overlay';
import { isCircuitOpen } from '../resilience/breaker';

/** Follows from a failure that was told, as each call does while the backend is left alone or away. */
export function isConsequence(error: unknown): boolean {
  return isCircuitOpen(error) || error instanceof CannotKnowError;
}
