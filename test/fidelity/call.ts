/**
 * One thing done to a response: a method and its arguments, a property (`statusCode=`), a path (`req.destroy`,
 * `socket.end`), or a step that waits (`turn`, `await drain`).
 */
export type Call = readonly [name: string, ...args: unknown[]];

/** Stands for a function that notes in the log when it is called, and with what. */
export const CALLBACK = Symbol('callback');
