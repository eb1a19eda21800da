import type { Backend } from '../../src/backend';
import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { FallbackBackend } from '../../src/fallback/fallback-backend';
import type { FallbackEvent } from '../../src/fallback/fallback-event';
import { Overlay } from '../../src/fallback/overlay';
import { newId } from '../../src/new-id';
import { FakeClock } from '../../src/testing';
import { faultyBackend, type Faults } from '../faulty-backend';

export interface Rig {
  readonly clock: FakeClock;
  readonly backend: FallbackBackend;
  /** What the primary holds, whether it can be reached or not. */
  readonly behind: Backend;
  readonly primary: Faults;
  /** The backends that take over, and what goes wrong with them. */
  readonly standIns: readonly { readonly inner: Backend; readonly faults: Faults }[];
  readonly events: FallbackEvent[];
  readonly errors: unknown[];
  advance(ms: number): Promise<void>;
}

export interface RigOptions {
  readonly reads?: 'known' | 'partial';
  readonly stableMs?: number;
  readonly graceMs?: number;
  readonly standIns?: number;
  /** Backends of a process before, and what the primary holds. */
  readonly stores?: readonly Backend[];
  readonly behind?: Backend;
  readonly isDown?: boolean;
  readonly clock?: FakeClock;
  /** Closing the backend closes those in it too. */
  readonly closesAll?: boolean;
}

/** A backend with others behind it, all in memory; closing the backend closes none of them. */
export async function openRig({
  reads = 'known',
  stableMs = 10_000,
  graceMs = 0,
  standIns: count = 1,
  stores = [],
  behind,
  isDown = false,
  clock = new FakeClock(),
  closesAll = false,
}: RigOptions = {}): Promise<Rig> {
  const memory = (name: string): Backend => ({
    ...bound(createMemoryBackend({ clock, sweepIntervalMs: 0 })),
    name,
  });
  const holder = behind ?? memory('primary');
  await holder.open();
  const { backend: primary, faults } = faultyBackend(holder);
  faults.isDown = isDown;
  const standIns = Array.from({ length: Math.max(count, stores.length) }, (_, index) => {
    const inner = stores[index] ?? memory(index === 0 ? 'stand-in' : `stand-in ${index + 1}`);
    return { inner, ...faultyBackend(inner) };
  });
  const events: FallbackEvent[] = [];
  const errors: unknown[] = [];
  const backend = new FallbackBackend({
    primary: unclosed(primary, closesAll),
    overlays: standIns.map(
      (each) =>
        new Overlay(unclosed(each.backend, closesAll), {
          name: 'test',
          maxValueBytes: 2 ** 24,
          reads,
          newId,
        }),
    ),
    ...{ probeIntervalMs: 1_000, stableMs, graceMs, clock, newId },
    onEvent: (event) => void events.push(event),
    onError: (error) => void errors.push(error),
  });
  await backend.open();
  return {
    ...{ clock, backend, behind: holder, primary: faults, standIns, events, errors },
    advance: async (ms) => {
      for (let done = 0; done < ms;) {
        const step = Math.min(100, ms - done);
        clock.advance(step);
        await jest.advanceTimersByTimeAsync(step);
        done += step;
      }
    },
  };
}

/** A class instance as an object that can be spread. */
function bound(backend: Backend): Backend {
  return new Proxy({} as Backend, {
    get: (_target, name) => {
      const member: unknown = Reflect.get(backend, name);
      return typeof member === 'function' ? member.bind(backend) : member;
    },
    ownKeys: () => METHODS,
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
}

const METHODS = [
  ...[
    'name',
    'capabilities',
    'open',
    'get',
    'getMany',
    'set',
    'delete',
    'scan',
    'keys',
    'partitions',
    'batch',
    'append',
  ],
  ...['range', 'length', 'transact', 'query', 'publish', 'subscribe', 'sweep', 'health', 'stats', 'close'],
];

const unclosed = (backend: Backend, closesAll: boolean): Backend =>
  closesAll ? backend : { ...backend, close: async () => {} };

export const at = (key: string, partition = 'p'): { partition: string; key: string } => ({ partition, key });
