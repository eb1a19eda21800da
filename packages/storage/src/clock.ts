/** Where the time comes from. Tests pass a clock of their own, so none of them sleeps. */
export interface Clock {
  /** The present instant, in milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
