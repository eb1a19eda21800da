import { setImmediate } from 'node:timers';

/**
 * As it was when Recap was loaded: a test of the program may put a clock of its own in place of the global one, and of the
 * module's, and no answer must wait for that to be moved.
 */
export const atEndOfTurn = setImmediate;
