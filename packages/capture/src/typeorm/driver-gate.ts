/**
 * Through which every call of a synchronous driver goes. A thread that is ended within one that fails takes the whole
 * process with it (better-sqlite3 makes its error in JavaScript, which a thread that ends has no more), so whoever
 * ends the thread shuts the gate first.
 */
export interface DriverGate {
  /** Waits while the gate is shut. */
  enter(): void;
  leave(): void;
}

/** Of a thread that nobody ends. */
export const OPEN_GATE: DriverGate = { enter: () => undefined, leave: () => undefined };

export async function passing<T>(gate: DriverGate, call: () => Promise<T>): Promise<T> {
  gate.enter();
  try {
    return await call();
  } finally {
    gate.leave();
  }
}

export function passingNow<T>(gate: DriverGate, call: () => T): T {
  gate.enter();
  try {
    return call();
  } finally {
    gate.leave();
  }
}
