import { z } from 'zod';

/** What gives way when there is more to record than can be stored, or the program itself cannot keep up. */
export interface OverloadSettings {
  /**
   * What gives way when neither queue nor spool has room; default `stepwise`: bodies first, then headers, then whole
   * exchanges. `oldest`: what has waited longest; `newest`: what comes last.
   */
  readonly shed?: 'stepwise' | 'oldest' | 'newest';
  /** Share of the room that may be used before bodies are left out; default 0.75. */
  readonly bodiesUpTo?: number;
  /** Share of the room that may be used before headers are left out; default 0.9. */
  readonly headersUpTo?: number;
  /**
   * Length of a turn of the event loop from which bodies are left out, if most turns take as long; from twice as much
   * on headers, from four times as much on whole exchanges. Default 500; with a durability other than `buffered`, and for `false`, never.
   */
  readonly maxLagMs?: number | false;
}

const share = z.number().positive().max(1);

export const overloadSchema = z
  .strictObject({
    shed: z.enum(['stepwise', 'oldest', 'newest']).optional(),
    bodiesUpTo: share.optional(),
    headersUpTo: share.optional(),
    maxLagMs: z.union([z.literal(false), z.number().min(10).max(60_000)]).optional(),
  })
  .refine(
    ({ bodiesUpTo = OVERLOAD_DEFAULTS.bodiesUpTo, headersUpTo = OVERLOAD_DEFAULTS.headersUpTo }) =>
      bodiesUpTo <= headersUpTo,
    { path: ['headersUpTo'], error: 'must be at least bodiesUpTo' },
  );

export const OVERLOAD_DEFAULTS = {
  shed: 'stepwise',
  bodiesUpTo: 0.75,
  headersUpTo: 0.9,
  maxLagMs: 500,
} as const;

export function overloadSettings(
  given: OverloadSettings = {},
  durability = 'buffered',
): Required<OverloadSettings> {
  return {
    shed: given.shed ?? OVERLOAD_DEFAULTS.shed,
    bodiesUpTo: given.bodiesUpTo ?? OVERLOAD_DEFAULTS.bodiesUpTo,
    headersUpTo: given.headersUpTo ?? OVERLOAD_DEFAULTS.headersUpTo,
    // Whoever asks that nothing be lost has not asked for speed.
    maxLagMs: given.maxLagMs ?? (durability === 'buffered' ? OVERLOAD_DEFAULTS.maxLagMs : false),
  };
}
