import { inspect } from 'node:util';
import { StorageError } from './errors';

/** What Node's timers hold; anything longer would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** @throws {StorageError} `CONFIG_INVALID` unless each is absent or an integer within its bounds */
export function checkOptions(
  options: object,
  bounds: Readonly<Record<string, readonly [min: number, max: number]>>,
): void {
  const values = new Map<string, unknown>(Object.entries(options));
  const wrong = Object.entries(bounds).flatMap(([name, [min, max]]) => {
    const value = values.get(name);
    if (value === undefined || (Number.isInteger(value) && Number(value) >= min && Number(value) <= max))
      return [];
    return [`"${name}" must be an integer from ${min} to ${max}; it is ${inspect(value)}`];
  });
  if (wrong.length > 0) throw new StorageError('CONFIG_INVALID', `${wrong.join('; ')}.`);
}
