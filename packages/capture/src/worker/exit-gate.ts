import type { DriverGate } from '../typeorm';
import { COUNTERS } from './messages';

/** How long the end of a program waits for a statement under way: two of SQLite's longest are shorter. */
const LONGEST_STATEMENT_MS = 50;

/** The worker's side: while the gate is shut the thread waits at it, for its end in general. */
export function exitGate(counters: Int32Array): DriverGate {
  const leave = (): void => {
    Atomics.sub(counters, COUNTERS.driverCalls, 1);
    if (Atomics.load(counters, COUNTERS.isShut) === 1) Atomics.notify(counters, COUNTERS.driverCalls);
  };
  return {
    enter() {
      for (;;) {
        // First told, then asked: whoever shuts the gate does it the other way round, so one of both sees the other.
        Atomics.add(counters, COUNTERS.driverCalls, 1);
        if (Atomics.load(counters, COUNTERS.isShut) === 0) return;
        leave();
        Atomics.wait(counters, COUNTERS.isShut, 1);
      }
    },
    leave,
  };
}

/** The other side: blocks until the worker is in none of the driver's calls, and lets it into no other. */
export function shutExitGate(counters: Int32Array, timeoutMs = LONGEST_STATEMENT_MS): void {
  Atomics.store(counters, COUNTERS.isShut, 1);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const calls = Atomics.load(counters, COUNTERS.driverCalls);
    const left = deadline - performance.now();
    if (calls === 0 || left <= 0) return;
    // The clock may be one of a test, that stands still.
    if (Atomics.wait(counters, COUNTERS.driverCalls, calls, left) === 'timed-out') return;
  }
}

/** For a program that goes on although it said that it exits. */
export function openExitGate(counters: Int32Array): void {
  Atomics.store(counters, COUNTERS.isShut, 0);
  Atomics.notify(counters, COUNTERS.isShut);
}
