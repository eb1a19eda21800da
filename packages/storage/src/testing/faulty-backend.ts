import type { Backend } from '../backend';
import { StorageError } from '../errors';

/** What can go wrong with a call: a method of `Backend` that reaches the engine. */
export type FaultyMethod = Exclude<keyof Backend, 'name' | 'capabilities'>;

export interface Fault {
  /** Every method but `close` unless given. */
  readonly methods?: readonly FaultyMethod[];
  /**
   * - `refuse` (the default): rejects, and nothing has happened.
   * - `lose`: it happens, and then the answer is lost, as when a connection breaks: the call rejects.
   * - `hold`: nothing happens until `heal()`; then the call goes on.
   * - `late`: it happens, and the answer comes after `heal()`.
   */
  readonly kind?: 'refuse' | 'lose' | 'hold' | 'late';
  /** How many calls it befalls; without it, all until `heal()`. */
  readonly times?: number;
  /** How many calls go well before. */
  readonly after?: number;
  /** What a call rejects with: a `StorageError` with `UNAVAILABLE` unless given. */
  readonly error?: Error;
}

export interface FaultyBackend extends Backend {
  /** Plans a fault. Of several that fit a call, the one that was planned first befalls it. */
  fail(fault?: Fault): void;
  /** Ends all faults, and lets go on what they hold. */
  heal(): void;
  /** The methods that were called, in their order, with or without a fault. */
  readonly calls: readonly FaultyMethod[];
}

interface PlannedFault {
  readonly fault: Fault;
  before: number;
  left: number;
}

class Signal {
  give: () => void = () => undefined;
  readonly given = new Promise<void>((resolve) => {
    this.give = resolve;
  });
}

/** A backend that works until it is told to fail: for tests of what has to survive failures. */
export function createFaultyBackend(backend: Backend): FaultyBackend {
  const calls: FaultyMethod[] = [];
  let planned: PlannedFault[] = [];
  let healed = new Signal();

  const strike = (method: FaultyMethod): Fault | undefined => {
    const hit = planned.find(({ fault: { methods }, left }) => {
      if (left === 0) return false;
      return methods === undefined ? method !== 'close' : methods.includes(method);
    });
    if (hit === undefined) return undefined;
    if (hit.before > 0) {
      hit.before -= 1;
      return undefined;
    }
    hit.left -= 1;
    return hit.fault;
  };

  const call = async (method: FaultyMethod, go: () => Promise<unknown>): Promise<unknown> => {
    calls.push(method);
    const fault = strike(method);
    if (fault === undefined) return go();
    const { kind = 'refuse', error = unavailable(backend.name, method) } = fault;
    const until = healed.given;
    switch (kind) {
      case 'refuse':
        throw error;
      case 'lose':
        await go();
        throw error;
      case 'hold':
        await until;
        return go();
      case 'late': {
        const answer = await go();
        await until;
        return answer;
      }
    }
  };

  const control: Pick<FaultyBackend, 'fail' | 'heal' | 'calls'> = {
    calls,
    fail: (fault = {}) => {
      planned.push({ fault, before: fault.after ?? 0, left: fault.times ?? Infinity });
    },
    heal: () => {
      planned = [];
      healed.give();
      healed = new Signal();
    },
  };

  return new Proxy(backend, {
    get: (target, name) => {
      if (Object.hasOwn(control, name)) return Reflect.get(control, name) as unknown;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        const answer = call(name as FaultyMethod, async () => Reflect.apply(member, target, args) as unknown);
        // Health is an answer, whatever happens.
        if (name !== 'health') return answer;
        return answer.catch((error: unknown) => ({ healthy: false, latencyMs: 0, error }));
      };
    },
  }) as FaultyBackend;
}

function unavailable(name: string, method: string): StorageError {
  return new StorageError('UNAVAILABLE', `A planned fault of ${method}() on the ${name} backend.`);
}
