import { addressName } from '../../address-name';
import type { AppendWrite, StoredValue, Verdict } from '../../driver';
import { newId } from '../../new-id';
import type { Bodies, Body } from './bodies';
import { byteLength, number, readNumber, toAttribute } from './dynamo-attributes';
import type { Attributes } from './dynamo-client';
import type { DynamoKeys } from './dynamo-keys';
import type { Condition, DynamoTable } from './dynamo-table';
import type { DynamoParts } from './dynamo-values';
import { isVisible, readHead, unchanged, VISIBLE, type Head } from './heads';
import { canGrow, growth, hasAppended, lengthOf, newList, TAIL_BYTES, type Growth } from './list-heads';
import type { PartitionRegistry } from './partition-registry';
import { cut, encodeElements } from './runs';

/** Elements that are too many bytes for a tail: their entry names a run of the body. */
export interface Run {
  readonly body: Body;
  readonly id: string;
  readonly parts: number;
  /** It has a note of its own, which its body does not replace. */
  readonly isNoted: boolean;
}

/** One conditional change of one item, all that it takes being in place. */
export interface AppendPlan {
  readonly item: Attributes;
  /** Absent: the item is put as a whole. */
  readonly change: Condition | undefined;
  readonly condition: Condition;
  readonly run: Run | undefined;
  /** What was written into for it. Unless the list has that body afterwards, nothing names it any more. */
  readonly touched: string | undefined;
  /** Nothing names it any more where the condition holds. */
  readonly replaced: string | undefined;
}

/** What an entry takes in an item beside its bytes. */
const ENTRY_BYTES = 3;
const MAX_FULL = 10_000;

export class ListWriter {
  readonly #table: DynamoTable;
  readonly #keys: DynamoKeys;
  readonly #bodies: Bodies;
  readonly #registry: PartitionRegistry;
  /** Lists whose tail this process has filled: trying to add to it would be for nothing. */
  readonly #full = new Set<string>();

  constructor({ table, keys, bodies, registry }: DynamoParts) {
    this.#table = table;
    this.#keys = keys;
    this.#bodies = bodies;
    this.#registry = registry;
  }

  async append(write: AppendWrite, now: number): Promise<Verdict> {
    const address = this.#keys.item(write.partition, write.key);
    const small = toSmall(write.values);
    if (small !== undefined) {
      const length = await this.#appendUnseen(write, small, now);
      if (length !== undefined) return { status: 'written', length };
    }
    for (let last: AppendPlan | undefined; ;) {
      const item = await this.#table.get(address);
      const found = item && readHead(item);
      if (last !== undefined) await this.forgetUnnamed(last, found);
      const verdict = judgeAppend(write, found, now);
      if (verdict !== undefined) return verdict;
      const plan: AppendPlan = await this.plan(write, found, now, { run: last?.run, isStrict: false });
      const length = await this.#carryOut(plan);
      if (length !== undefined) {
        if (plan.run?.isNoted === true) await this.#bodies.settleRun(plan.run.id);
        return { status: 'written', length };
      }
      last = plan;
    }
  }

  /**
   * After an attempt that seemed to fail. Its answer may have been lost, so the list that is there now decides; no body
   * that a list has lost is named again.
   */
  async forgetUnnamed(
    { touched, run }: { readonly touched: string | undefined; readonly run?: Run | undefined },
    found: Pick<Head, 'body'> | undefined,
  ): Promise<void> {
    if (touched === undefined || found?.body === touched) return;
    await this.#bodies.forget(touched);
    if (run?.isNoted === true) await this.#bodies.forgetRun(run.body.id, run.id);
  }

  /** @param found what is there, visible or not; with `isStrict` the plan holds for nothing else */
  async plan(
    write: AppendWrite,
    found: Head | undefined,
    now: number,
    { run: before, isStrict }: { readonly run?: Run | undefined; readonly isStrict: boolean },
  ): Promise<AppendPlan> {
    const { partition, key, values } = write;
    const there = found !== undefined && isVisible(found, now) ? found : undefined;
    const small = toSmall(values);
    const isFull = there !== undefined && readNumber(there.item, 'tail_bytes')! >= TAIL_BYTES;
    const needsBody = small === undefined || isFull;
    const begun =
      needsBody && there?.body === undefined ? await this.#bodies.begin(partition, key, now) : undefined;
    const body =
      begun ?? (there?.body === undefined ? undefined : { id: there.body, begunAt: performance.now() });
    const run =
      small !== undefined
        ? undefined
        : before?.body.id === body!.id
          ? before
          : await this.#putRun(body!, write, now, begun === undefined);
    const more = small ?? toGrowth(run!, values.length);
    if (isFull) await this.#moveTail(there, body!.id);
    if (run !== undefined || begun !== undefined) this.#bodies.checkAge(run?.body ?? begun!);
    const touched = needsBody ? body!.id : undefined;
    if (there === undefined) {
      await this.#registry.register(partition, now);
      const item = newList(this.#keys, write, more, { body: body?.id, now });
      return { item, change: undefined, condition: unchanged(found), run, touched, replaced: found?.body };
    }
    return {
      item: this.#keys.item(partition, key),
      change: growth(this.#keys, write, more, { body: begun?.id, moved: isFull ? there : undefined, now }),
      // A tail that has been moved is one that nobody has added to since.
      condition: isFull || isStrict ? sameList(there, now) : canGrow(now, there),
      run,
      touched,
      replaced: undefined,
    };
  }

  /** Without looking: to a list whose tail has room, or where nothing is. */
  async #appendUnseen(write: AppendWrite, small: Growth, now: number): Promise<number | undefined> {
    const { partition, key } = write;
    const name = addressName(write);
    if (this.#full.delete(name)) return undefined;
    const change = growth(this.#keys, write, small, { now });
    const changed = await this.#table.update(this.#keys.item(partition, key), change, canGrow(now));
    if (changed === undefined) {
      await this.#registry.register(partition, now);
      const item = newList(this.#keys, write, small, { body: undefined, now });
      return (await this.#table.put(item, unchanged(undefined))) ? small.count : undefined;
    }
    if (readNumber(changed, 'tail_bytes')! >= TAIL_BYTES && this.#full.size < MAX_FULL) this.#full.add(name);
    return readNumber(changed, 'element_count');
  }

  /** The new length, or `undefined` where something else is there by now. */
  async #carryOut({ item, change, condition, replaced }: AppendPlan): Promise<number | undefined> {
    if (change !== undefined) {
      const { pk, sk } = item;
      const changed = await this.#table.update({ pk: pk!, sk: sk! }, change, condition);
      return changed && readNumber(changed, 'element_count');
    }
    if (!(await this.#table.put(item, condition))) return undefined;
    if (replaced !== undefined) await this.#bodies.forget(replaced);
    return readNumber(item, 'element_count');
  }

  /** Everyone who moves this tail writes the same, or the beginning of it: the longest stays. */
  async #moveTail(head: Head, body: string): Promise<void> {
    const start = readNumber(head.item, 'tail_start')!;
    const count = lengthOf(head) - start;
    await this.#table.put(
      { ...this.#keys.segment(body, start), entries: head.item['tail']!, entry_count: number(count) },
      {
        expression: 'attribute_not_exists(pk) OR entry_count < :count',
        values: { ':count': number(count) },
      },
    );
  }

  async #putRun(body: Body, write: AppendWrite, now: number, isNoted: boolean): Promise<Run> {
    const id = isNoted ? await this.#bodies.beginRun(body.id, write, now) : newId();
    const parts = cut(encodeElements(write.values));
    await this.#bodies.putParts(body.id, id, parts);
    return { body, id, parts: parts.length, isNoted };
  }
}

/** `undefined`: it may be written. */
export function judgeAppend(
  { version }: AppendWrite,
  found: Head | undefined,
  now: number,
): Verdict | undefined {
  if (found === undefined || !isVisible(found, now)) return undefined;
  if (!found.isList) return { status: 'wrong-type' };
  return hasAppended(found, version) ? { status: 'written', length: lengthOf(found) } : undefined;
}

function sameList(head: Head, now: number): Condition {
  const { expression, values } = unchanged(head);
  return {
    expression: `${expression} AND element_count = :length AND ${VISIBLE}`,
    values: { ...values, ':length': number(lengthOf(head)), ':now': number(now) },
  };
}

/** Elements that a tail takes as they are. */
function toSmall(values: readonly StoredValue[]): Growth | undefined {
  const bytes = values.reduce((sum, value) => sum + byteLength(value) + ENTRY_BYTES, 0);
  return bytes <= TAIL_BYTES ? { entries: values.map(toAttribute), bytes, count: values.length } : undefined;
}

function toGrowth({ id, parts }: Run, count: number): Growth {
  const entry = { M: { run: { S: id }, count: number(count), parts: number(parts) } };
  return { entries: [entry], bytes: id.length + 40, count };
}
