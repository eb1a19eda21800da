import fc from 'fast-check';
import type { Backend, Value } from '../../src/backend';
import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { errorCode } from '../../src/errors';
import { unavailable } from '../faulty-backend';
import { at, openRig, type Rig } from './rig';

/*
 * One client and a backend that goes away and comes back at any time: what is read is what was written, or that
 * nobody can know; and in the end everything that was written is where it belongs.
 */

const KEYS = ['a', 'b', 'c'];
const key = fc.constantFrom(...KEYS);
const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.uint8Array({ maxLength: 4 })) as fc.Arbitrary<Value>;

type Step =
  | { readonly do: 'set'; readonly key: string; readonly value: Value; readonly ttlMs: number | undefined }
  | { readonly do: 'swap'; readonly key: string; readonly value: Value; readonly isStale: boolean }
  | { readonly do: 'claim' | 'delete' | 'get' | 'range'; readonly key: string }
  | { readonly do: 'append'; readonly key: string; readonly values: readonly Value[] }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'down' | 'up' | 'lose' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('set'),
    key,
    value,
    ttlMs: fc.option(fc.constantFrom(50, 3_000), { nil: undefined }),
  }),
  fc.record({ do: fc.constant('swap'), key, value, isStale: fc.boolean() }),
  fc.record({ do: fc.constantFrom('claim', 'delete', 'get', 'range'), key }),
  fc.record({ do: fc.constant('append'), key, values: fc.array(value, { minLength: 1, maxLength: 3 }) }),
  fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(100, 1_000, 4_000) }),
  fc.record({ do: fc.constantFrom('down', 'up', 'lose') }),
);

/** Of a write that was made by a backend that is well: its caller cannot know. */
const LOST = unavailable('ECONNRESET');

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => error);
}

/** What a read answers: a value, elements, or a code. */
async function answer(read: Promise<unknown>): Promise<unknown> {
  try {
    const found = await read;
    return found === undefined || Array.isArray(found) ? found : (found as { value: Value }).value;
  } catch (error) {
    return errorCode(error);
  }
}

class Client {
  readonly #rig: Rig;
  readonly #model: Backend;
  /** The last version that this client knows of each key, and the one before. */
  readonly #versions = new Map<string, [current: string | undefined, stale: string | undefined]>();
  /** Answers that were "nobody can know". */
  unknown = 0;

  constructor(rig: Rig, model: Backend) {
    this.#rig = rig;
    this.#model = model;
  }

  async run(step: Step): Promise<void> {
    const { backend, primary, clock, advance } = this.#rig;
    switch (step.do) {
      case 'set': {
        const options = step.ttlMs === undefined ? {} : { expiresAt: clock.now() + step.ttlMs };
        const outcome = await failureOf(backend.set(at(step.key), step.value, options));
        await this.#model.set(at(step.key), step.value, options);
        this.#know(step.key, outcome === LOST ? await this.#made(step.key) : (outcome as string));
        return;
      }
      case 'swap': {
        const [current, stale] = this.#versions.get(step.key) ?? [];
        const ifVersion = step.isStale ? stale : current;
        if (ifVersion === undefined) return;
        const isThere =
          (await this.#model.scan('p', { range: { gte: step.key, lte: step.key } })).items.length > 0;
        const outcome = await failureOf(backend.set(at(step.key), step.value, { ifVersion }));
        const isLost = outcome === LOST;
        if (!isLost && typeof outcome !== 'string') {
          expect(['CONFLICT', 'UNAVAILABLE']).toContain(errorCode(outcome));
          if (errorCode(outcome) === 'CONFLICT') expect(step.isStale || !isThere).toBe(true);
          return;
        }
        expect([step.isStale, isThere]).toEqual([false, true]);
        this.#know(step.key, isLost ? await this.#made(step.key) : (outcome as string));
        await this.#model.set(at(step.key), step.value);
        return;
      }
      case 'claim': {
        const outcome = await failureOf(backend.set(at(step.key), 'claimed', { ifAbsent: true }));
        const isLost = outcome === LOST;
        if (errorCode(outcome) === 'UNAVAILABLE' && !isLost) return;
        const expected = await this.#model.set(at(step.key), 'claimed', { ifAbsent: true });
        if (isLost) {
          if (expected !== undefined) this.#know(step.key, await this.#made(step.key));
          return;
        }
        expect(outcome === undefined).toBe(expected === undefined);
        if (typeof outcome === 'string') this.#know(step.key, outcome);
        return;
      }
      case 'delete':
        await failureOf(backend.delete(at(step.key)));
        await this.#model.delete(at(step.key));
        this.#know(step.key, undefined);
        return;
      case 'append': {
        const isValue = (await answer(this.#model.range(at(step.key)))) === 'WRONG_TYPE';
        // Who cannot see that a value is there adds to it, and is told of the conflict later.
        if (isValue && (primary.isDown || backend.state.isDegraded)) return;
        const outcome = await answer(backend.append(at(step.key), step.values).then((length) => [length]));
        const expected = await answer(
          this.#model.append(at(step.key), step.values).then((length) => [length]),
        );
        if (backend.state.isDegraded) expect(typeof outcome).toBe(typeof expected);
        else expect(outcome).toEqual(expected);
        if (!isValue) this.#know(step.key, undefined);
        return;
      }
      case 'get':
        return this.#compare((store) => store.get(at(step.key)));
      case 'range':
        return this.#compare((store) => store.range(at(step.key)));
      case 'wait':
        return advance(step.ms);
      case 'lose':
        primary.before = (method) => {
          if (method !== 'set' && method !== 'delete') return;
          primary.before = undefined;
          if (!primary.isDown) primary.lostAnswers.push(LOST);
        };
        return;
      default:
        primary.isDown = step.do === 'down';
    }
  }

  async #compare(read: (store: Backend) => Promise<unknown>): Promise<void> {
    const found = await answer(read(this.#rig.backend));
    if (found === 'UNAVAILABLE' && this.#rig.backend.state.isDegraded) this.unknown += 1;
    else expect(found).toEqual(await answer(read(this.#model)));
  }

  /** The version of what was made. */
  async #made(name: string): Promise<string | undefined> {
    return (await this.#rig.behind.get(at(name)))?.version;
  }

  #know(name: string, version: string | undefined): void {
    this.#versions.set(name, [version, this.#versions.get(name)?.[0]]);
  }
}

describe('a backend that goes away at any time', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('shows what was written, or that nobody can know, and has everything in the end', async () => {
    let outages = 0;
    let known = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const rig = await openRig();
        const model = createMemoryBackend({ clock: rig.clock, sweepIntervalMs: 0 });
        await model.open();
        const client = new Client(rig, model);
        for (const each of steps) await client.run(each);
        rig.primary.isDown = false;
        rig.primary.before = undefined;
        await rig.advance(200_000);
        expect(rig.backend.state).toEqual({ servedBy: 'primary', isDegraded: false, pendingWrites: 0 });
        for (const name of KEYS) {
          expect(await answer(rig.behind.get(at(name)))).toEqual(await answer(model.get(at(name))));
          expect(await answer(rig.behind.range(at(name)))).toEqual(await answer(model.range(at(name))));
        }
        expect(rig.errors).toEqual([]);
        const conflicts = rig.events.filter(({ type }) => type === 'conflict');
        expect(conflicts).toEqual([]);
        outages += rig.events.filter(({ type }) => type === 'recovered').length;
        known += client.unknown;
        await rig.backend.close();
        await model.close();
      }),
      { numRuns: 150, seed: 20_261_121 },
    );
    // Otherwise nothing was shown.
    expect(outages).toBeGreaterThan(50);
    expect(known).toBeGreaterThan(10);
  });
});
