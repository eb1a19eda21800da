import type { TappedExchange } from '../tap/http-tap';
import { attempt } from './build-exchange';
import type { OpenExchange } from './open-exchange';

/** What `sample` and `skip` say of an exchange. A function of the program's that fails leaves it in. */
export function isWanted(
  open: OpenExchange,
  { outcome, status }: TappedExchange,
  random: () => number,
  noteFailure: (error: unknown, where: string) => void,
): boolean {
  const { sample, skip } = open.settings;
  const hasFailed = outcome !== 'completed' || (status ?? 0) >= 500;
  if (!hasFailed && sample < 1) {
    open.isSampled ??= (attempt(() => random(), 'sample', noteFailure) ?? -1) < sample;
    if (!open.isSampled) return false;
  }
  open.isSkipped ??= attempt(() => skip?.(open.context), 'skip', noteFailure) === true;
  return !open.isSkipped;
}
