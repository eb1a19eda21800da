import { z } from 'zod';
import { MAX_TIMER_MS } from '../check-options';
import { wholeNumber } from './setting-schemas';

export const functionOf = (what: string) =>
  z.custom<(...given: never[]) => unknown>((value) => typeof value === 'function', {
    error: `has to be a function${what}`,
  });

export const clockShape = {
  clock: z
    .custom<object>((value) => typeof (value as { now?: unknown } | null)?.now === 'function', {
      error: 'has to be a clock: an object with now()',
    })
    .optional(),
};

/** What every backend takes from a program, and no configuration can say. */
export const programShape = {
  ...clockShape,
  newId: functionOf(' that makes ids').optional(),
  onError: functionOf(' that is told of errors').optional(),
  through: functionOf(' from driver to driver').optional(),
  timeoutMs: wholeNumber(1, MAX_TIMER_MS).optional(),
  sweepIntervalMs: wholeNumber(0, MAX_TIMER_MS).optional(),
};
