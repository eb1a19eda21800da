/** Where the time comes from. Tests pass a clock of their own, so none of them sleeps. */
export interface Clock {
  /** The present instant, in milliseconds since the Unix epoch. Storage cuts off fractions of one. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** The clock that a program gave, or the system's, in whole milliseconds: what expires does so at one. */
export function wholeClock(given: Clock | undefined): Clock {
  return given === undefined ? systemClock : { now: () => Math.floor(given.now()) };
}
