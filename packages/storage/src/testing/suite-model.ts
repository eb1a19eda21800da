import assert from 'node:assert/strict';
import type * as FastCheck from 'fast-check';
import type { Address, Backend, Item, KeyRange, Value, Write, WriteOutcome } from '../backend';
import { errorCode } from '../errors';
import { loadDriver } from '../load-driver';
import { newId } from '../new-id';
import { BackendModel, type ModelItem, type ModelOutcome } from './backend-model';
import { bytes, pages, type SuiteContext } from './suite-context';

/** Few, and some more often than others, so that commands meet. */
const KEYS = ['a', 'a', 'a', 'a%', 'B', '\0', '\uFFFF', '\u{1F600}'];
const PARTITIONS = ['', '', ':'];
const VALUES: readonly Value[] = [null, 0, '', { a: [1, '\0'] }, [], 'x', bytes(0, 1), { a: { b: -0.5 } }];

type PlannedWrite = {
  readonly address: Address;
  readonly lifetimeMs: number | undefined;
  readonly condition: 'none' | 'absent' | 'current' | 'stale';
} & (
  | { readonly type: 'set'; readonly value: Value }
  | { readonly type: 'append'; readonly values: readonly Value[] }
  | { readonly type: 'delete' }
);

type Command =
  | { readonly do: 'write'; readonly write: PlannedWrite }
  | { readonly do: 'batch' | 'transact'; readonly writes: readonly PlannedWrite[] }
  | { readonly do: 'read'; readonly address: Address; readonly start: number; readonly end: number }
  | {
      readonly do: 'scan';
      readonly partition: string;
      readonly range: KeyRange;
      readonly limit: number;
      readonly reverse: boolean;
    }
  | { readonly do: 'look'; readonly limit: number }
  | { readonly do: 'wait'; readonly durationMs: number }
  | { readonly do: 'sweep'; readonly limit: number }
  | { readonly do: 'restart' };

/** Random commands, the clock and restarts among them, on the backend and on the model of it. */
export function describeModel(context: SuiteContext, runs: number): void {
  const { describe, it } = context;

  describe('whatever the order of commands', () => {
    it('a backend does what the model of the contract does', async () => {
      const fc = await loadDriver('fast-check', async () => require('fast-check') as typeof FastCheck);
      let backend = context.backend();
      const restart = async (): Promise<void> => {
        if (context.another === undefined) return;
        await backend.close();
        backend = await context.another();
      };
      try {
        await fc.assert(
          fc.asyncProperty(fc.array(commands(fc), { maxLength: 60, size: 'max' }), async (plan) => {
            const run = new ModelRun(newId(), context);
            for (const command of plan)
              if (command.do === 'restart') await restart();
              else await run.take(backend, command);
            await run.compare(backend);
          }),
          { numRuns: runs },
        );
      } finally {
        if (backend !== context.backend()) await backend.close();
      }
    });
  });
}

function commands(fc: typeof FastCheck): FastCheck.Arbitrary<Command> {
  const key = fc.constantFrom(...KEYS);
  const partition = fc.constantFrom(...PARTITIONS);
  const value = fc.constantFrom(...VALUES);
  const values = fc.array(value, { minLength: 1, maxLength: 3 });
  const plan = {
    address: fc.record({ partition, key }),
    lifetimeMs: fc.constantFrom(undefined, 1, 5, 10),
    condition: fc.constantFrom(
      'none' as const,
      'none' as const,
      'absent' as const,
      'current' as const,
      'stale' as const,
    ),
  };
  const write: FastCheck.Arbitrary<PlannedWrite> = fc.oneof(
    fc.record({ type: fc.constant('set' as const), value, ...plan }),
    fc.record({ type: fc.constant('append' as const), values, ...plan }),
    fc.record({ type: fc.constant('delete' as const), ...plan }),
  );
  const writes = fc.array(write, { maxLength: 5 });
  const index = fc.integer({ min: -5, max: 5 });
  const limit = fc.integer({ min: 1, max: 4 });
  const bound = fc.constantFrom(...KEYS, '', 'b');
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), write }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('batch' as const), writes }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('transact' as const), writes }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('read' as const),
        address: plan.address,
        start: index,
        end: index,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('scan' as const),
        partition,
        range: fc.oneof(
          fc.constant({}),
          fc.record({ prefix: bound }),
          fc.record({ gt: bound, gte: bound, lt: bound, lte: bound, prefix: bound }, { requiredKeys: [] }),
        ),
        limit,
        reverse: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const), limit }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('wait' as const), durationMs: fc.constantFrom(1, 4, 5, 9) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const), limit }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  );
}

/** One sequence of commands, in partitions of its own. */
class ModelRun {
  readonly #model = new BackendModel();
  readonly #prefix: string;
  readonly #context: SuiteContext;

  constructor(prefix: string, context: SuiteContext) {
    this.#prefix = prefix;
    this.#context = context;
  }

  async take(backend: Backend, command: Exclude<Command, { do: 'restart' }>): Promise<void> {
    const now = this.#context.clock().now();
    switch (command.do) {
      case 'wait':
        this.#context.clock().advance(command.durationMs);
        return;
      case 'sweep':
        await backend.sweep(command.limit);
        return;
      case 'write': {
        const write = this.#toWrite(command.write);
        assert.deepEqual(await outcomeOf(backend, write), this.#model.apply(write, now));
        return;
      }
      case 'batch': {
        // One after the other, since a condition names the version that the writes before have left.
        const writes = command.writes.map((planned) => this.#toWrite(planned));
        const expected = writes.map((write) => this.#model.apply(write, now));
        assert.deepEqual((await backend.batch(writes)).map(plain), expected);
        return;
      }
      case 'transact':
        return this.#transact(backend, command.writes);
      case 'read':
        return this.#read(backend, this.#in(command.address), command);
      case 'scan': {
        const { partition, range, limit, reverse } = command;
        const options = { range, limit, reverse };
        const there = this.#in({ partition, key: '' }).partition;
        const found = await pages((after) =>
          backend.scan(there, { ...options, ...(after !== undefined && { after }) }),
        );
        assert.deepEqual(found.map(toModelItem), this.#expected(there, command));
        const keys = await pages((after) =>
          backend.keys(there, { ...options, ...(after !== undefined && { after }) }),
        );
        assert.deepEqual(
          keys,
          found.map(({ key }) => key),
        );
        return;
      }
      case 'look':
        return this.compare(backend, command.limit);
    }
  }

  /** Everything that is there. */
  async compare(backend: Backend, limit = 2): Promise<void> {
    const found = await pages((after) =>
      backend.partitions(this.#prefix, { limit, ...(after !== undefined && { after }) }),
    );
    const expected = new Set(
      this.#model.items(this.#context.clock().now()).map(({ partition }) => partition),
    );
    assert.deepEqual(found, [...expected].sort(byBytes));
    for (const partition of found) {
      const items = await pages((after) =>
        backend.scan(partition, { limit, ...(after !== undefined && { after }) }),
      );
      assert.deepEqual(items.map(toModelItem), this.#expected(partition, { range: {}, reverse: false }));
      for (const { key, type } of items)
        if (type === 'list') await this.#read(backend, { partition, key }, { start: 0, end: -1 });
    }
  }

  async #transact(backend: Backend, planned: readonly PlannedWrite[]): Promise<void> {
    if (!backend.capabilities.transact) return;
    const writes: Write[] = [];
    for (const one of planned) {
      const write = this.#toWrite(one);
      const isSameKey = writes.some(({ key }) => key === write.key);
      const [first] = writes;
      if (!isSameKey && (first === undefined || first.partition === write.partition)) writes.push(write);
    }
    const expected = this.#model.applyTogether(writes, this.#context.clock().now());
    const outcome = await backend.transact(writes).then(
      (outcomes) => outcomes.map(plain),
      (error: unknown) => String(errorCode(error)),
    );
    if (typeof outcome === 'string')
      assert.ok('codes' in expected && expected.codes.includes(outcome), `It rejected with ${outcome}.`);
    else assert.deepEqual(outcome, expected);
  }

  async #read(
    backend: Backend,
    address: Address,
    { start, end }: { start: number; end: number },
  ): Promise<void> {
    const item = this.#model.find(address, this.#context.clock().now());
    const range = await codeOr(backend.range(address, start, end));
    const length = await codeOr(backend.length(address));
    const value = await codeOr(backend.get(address));
    if (item?.type === 'value') {
      const { version, expiresAt } = item;
      assert.deepEqual([range, length], ['WRONG_TYPE', 'WRONG_TYPE']);
      assert.deepEqual(value, {
        type: 'value',
        key: address.key,
        value: item.value,
        version,
        ...(expiresAt !== undefined && { expiresAt }),
      });
      return;
    }
    const values = item?.values ?? [];
    const from = start < 0 ? start + values.length : start;
    const to = end < 0 ? end + values.length : end;
    assert.deepEqual(
      range,
      values.filter((_, index) => index >= from && index <= to),
    );
    assert.deepEqual([length, value], [values.length, item === undefined ? undefined : 'WRONG_TYPE']);
  }

  #expected(partition: string, { range, reverse }: { range: KeyRange; reverse: boolean }): readonly object[] {
    const { gt, gte, lt, lte, prefix = '' } = range;
    const found = this.#model
      .items(this.#context.clock().now())
      .filter(
        (item) =>
          item.partition === partition &&
          item.key.startsWith(prefix) &&
          (gt === undefined || byBytes(item.key, gt) > 0) &&
          (gte === undefined || byBytes(item.key, gte) >= 0) &&
          (lt === undefined || byBytes(item.key, lt) < 0) &&
          (lte === undefined || byBytes(item.key, lte) <= 0),
      )
      .sort((a, b) => byBytes(a.key, b.key))
      .map(({ key, version, expiresAt, ...rest }) => ({
        type: rest.type,
        key,
        version,
        expiresAt,
        value: rest.type === 'value' ? rest.value : undefined,
      }));
    return reverse ? found.reverse() : found;
  }

  #in({ partition, key }: Address): Address {
    return { partition: this.#prefix + partition, key };
  }

  #toWrite({ address, lifetimeMs, condition, ...rest }: PlannedWrite): Write {
    const now = this.#context.clock().now();
    const there: ModelItem | undefined = this.#model.find(this.#in(address), now);
    const version = newId();
    const write = {
      ...this.#in(address),
      version,
      ...(lifetimeMs !== undefined && { expiresAt: now + lifetimeMs }),
    };
    const ifVersion = {
      ...(condition === 'current' && { ifVersion: there?.version ?? 'none' }),
      ...(condition === 'stale' && { ifVersion: 'stale' }),
    };
    if (rest.type === 'set') return { ...write, ...rest, ...ifVersion, ifAbsent: condition === 'absent' };
    return rest.type === 'append' ? { ...write, ...rest } : { ...this.#in(address), ...rest, ...ifVersion };
  }
}

async function outcomeOf(backend: Backend, write: Write): Promise<ModelOutcome> {
  const outcome = await codeOr<string | number | boolean | undefined>(
    write.type === 'set'
      ? backend.set(write, write.value, write)
      : write.type === 'append'
        ? backend.append(write, write.values, write)
        : backend.delete(write, write),
  );
  if (outcome === 'CONFLICT' || outcome === 'WRONG_TYPE') return { status: 'failed', code: outcome };
  if (typeof outcome === 'number') return { status: 'written', length: outcome };
  if (typeof outcome === 'boolean') return { status: outcome ? 'deleted' : 'missing' };
  return { status: outcome === undefined ? 'exists' : 'written' };
}

function plain(outcome: WriteOutcome): ModelOutcome {
  if (outcome.status === 'failed') return { status: 'failed', code: String(errorCode(outcome.error)) };
  if (outcome.status !== 'written') return outcome;
  return outcome.length === undefined ? { status: 'written' } : { status: 'written', length: outcome.length };
}

/** The answer, or the code of the error. */
function codeOr<T>(call: Promise<T>): Promise<T | string> {
  return call.catch((error: unknown) => {
    const code = errorCode(error);
    if (code === undefined || code === 'UNAVAILABLE') throw error;
    return code;
  });
}

function toModelItem(item: Item): object {
  const { type, key, version, expiresAt } = item;
  return { type, key, version, expiresAt, value: item.type === 'value' ? item.value : undefined };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
