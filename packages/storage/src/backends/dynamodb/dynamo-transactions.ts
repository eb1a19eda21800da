import type { DriverWrite, Verdict } from '../../driver';
import { newId } from '../../new-id';
import type { Bodies } from './bodies';
import { byteLength, readNumber } from './dynamo-attributes';
import type { Attributes } from './dynamo-client';
import { cancellationReasons } from './dynamo-errors';
import type { DynamoKeys } from './dynamo-keys';
import type { Condition, DynamoTable } from './dynamo-table';
import { judgeDelete, judgeSet, type DynamoParts, type DynamoValues } from './dynamo-values';
import { isVisible, readHead, unchanged, type Head } from './heads';
import { TAIL_BYTES } from './list-heads';
import { judgeAppend, type ListWriter, type Run } from './list-writer';
import type { PartitionRegistry } from './partition-registry';
import { PART_BYTES } from './runs';

interface Step {
  readonly action: object;
  readonly verdict: Verdict;
  /** Named by nothing unless the transaction succeeds, or by what was there before. */
  readonly touched: string | undefined;
  /** Named by nothing once it has succeeded. */
  readonly replaced?: string | undefined;
  /** Of elements that are written already, for the next attempt too. */
  readonly run?: Run | undefined;
}

const REFUSALS = new Set(['exists', 'conflict', 'wrong-type']);
/** Reasons for which the same transaction may succeed on what is there by now. */
const PASSING = new Set([
  'None',
  'ConditionalCheckFailed',
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

/**
 * Of all that a transaction writes; the server takes 4 MiB.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
const TRANSACTION_BYTES = 3.5 * 2 ** 20;
/** What a write takes at most beside its value: its address, a version, its condition. */
const WRITE_BYTES = 4 * 1_024;
/** With the tail of a list, before and after. */
const APPEND_BYTES = WRITE_BYTES + 3 * TAIL_BYTES;

/** Decides on what it has read, and writes on condition that nothing of it has changed. */
export class DynamoTransactions {
  readonly #table: DynamoTable;
  readonly #keys: DynamoKeys;
  readonly #bodies: Bodies;
  readonly #registry: PartitionRegistry;
  readonly #values: DynamoValues;
  readonly #lists: ListWriter;

  constructor({ table, keys, bodies, registry }: DynamoParts, values: DynamoValues, lists: ListWriter) {
    this.#table = table;
    this.#keys = keys;
    this.#bodies = bodies;
    this.#registry = registry;
    this.#values = values;
    this.#lists = lists;
  }

  async apply(writes: readonly DriverWrite[], now: number): Promise<Verdict[]> {
    const large = chooseLarge(writes);
    let last: readonly Step[] = [];
    for (let attempt = 0, since = performance.now(); ; attempt += 1) {
      const begunAt = performance.now();
      const heads = await this.#heads(writes);
      for (const [place, step] of last.entries()) await this.#lists.forgetUnnamed(step, heads[place]);
      const judged = writes.map((write, place) => judge(write, heads[place], now));
      if (judged.some((verdict) => verdict !== undefined && REFUSALS.has(verdict.status)))
        return judged.map((verdict) => verdict ?? { status: 'written' });
      const steps: Step[] = [];
      for (const [place, write] of writes.entries())
        steps.push(
          await this.#toStep(write, heads[place], judged[place], now, large.has(place), last[place]?.run),
        );
      this.#bodies.checkAge({ begunAt });
      const failure = await this.#send(steps);
      if (failure === undefined) {
        for (const { replaced, run } of steps) {
          if (replaced !== undefined) await this.#bodies.forget(replaced);
          if (run?.isNoted === true) await this.#bodies.settleRun(run.id);
        }
        return steps.map(({ verdict }) => verdict);
      }
      last = steps;
      await this.#table.backOff(attempt, since, () => failure);
    }
  }

  async #heads(writes: readonly DriverWrite[]): Promise<(Head | undefined)[]> {
    const items = await this.#table.getMany(
      writes.map(({ partition, key }) => this.#keys.item(partition, key)),
    );
    return items.map((item) => item && readHead(item));
  }

  async #toStep(
    write: DriverWrite,
    head: Head | undefined,
    verdict: Verdict | undefined,
    now: number,
    isLarge: boolean,
    run: Run | undefined,
  ): Promise<Step> {
    const { partition, key } = write;
    const address = this.#keys.item(partition, key);
    const same = unchanged(head);
    if (verdict !== undefined && (verdict.status !== 'missing' || head === undefined))
      return { action: { ConditionCheck: this.#input({ Key: address }, same) }, verdict, touched: undefined };
    if (write.type === 'delete')
      return {
        action: { Delete: this.#input({ Key: address }, same) },
        verdict: verdict ?? { status: 'deleted' },
        touched: undefined,
        replaced: head?.body,
      };
    if (write.type === 'set') {
      await this.#registry.register(partition, now);
      const begun = isLarge ? await this.#values.upload(write, now) : undefined;
      const item = this.#values.toItem(write, begun, now);
      return {
        action: { Put: this.#input({ Item: item }, same) },
        verdict: { status: 'written' },
        touched: begun?.id,
        replaced: head?.body,
      };
    }
    const plan = await this.#lists.plan(write, head, now, { run, isStrict: true });
    const { item, change, condition, touched, replaced } = plan;
    const before = head !== undefined && isVisible(head, now) ? readNumber(head.item, 'element_count')! : 0;
    return {
      action:
        change === undefined
          ? { Put: this.#input({ Item: item }, condition) }
          : { Update: this.#input({ Key: item }, condition, change) },
      verdict: { status: 'written', length: before + write.values.length },
      touched,
      replaced,
      run: plan.run,
    };
  }

  /** Why nothing was written, where that may pass. */
  async #send(steps: readonly Step[]): Promise<unknown> {
    try {
      await this.#table.send('TransactWriteItemsCommand', {
        TransactItems: steps.map(({ action }) => action),
        // What is sent again within ten minutes is recognised by it.
        ClientRequestToken: newId(),
      });
      return undefined;
    } catch (error) {
      if (!mayPass(error)) throw error;
      return error;
    }
  }

  #input(
    what: { readonly Item: Attributes } | { readonly Key: Attributes },
    { expression, values }: Condition,
    change?: Condition,
  ): object {
    const all = { ...change?.values, ...values };
    return {
      TableName: this.#table.name,
      ...what,
      ConditionExpression: expression,
      ...(change !== undefined && { UpdateExpression: change.expression }),
      ...(Object.keys(all).length > 0 && { ExpressionAttributeValues: all }),
    };
  }
}

function judge(write: DriverWrite, head: Head | undefined, now: number): Verdict | undefined {
  switch (write.type) {
    case 'set':
      return judgeSet(write, head, now);
    case 'delete':
      return judgeDelete(write, head, now);
    case 'append':
      return judgeAppend(write, head, now);
  }
}

function mayPass(error: unknown): boolean {
  return cancellationReasons(error)?.every((reason) => PASSING.has(reason)) === true;
}

/** The places of the sets whose values are kept outside of their items: what is too large, and the largest of what is too much. */
function chooseLarge(writes: readonly DriverWrite[]): ReadonlySet<number> {
  const sets = writes
    .flatMap((write, place) => (write.type === 'set' ? [{ place, bytes: byteLength(write.value) }] : []))
    .sort((one, other) => other.bytes - one.bytes);
  const chosen = new Set(sets.filter(({ bytes }) => bytes > PART_BYTES).map(({ place }) => place));
  const rest = sets.filter(({ place }) => !chosen.has(place));
  let total = rest.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { type } of writes) total += type === 'append' ? APPEND_BYTES : WRITE_BYTES;
  for (const { place, bytes } of rest) {
    if (total <= TRANSACTION_BYTES) break;
    chosen.add(place);
    total -= bytes;
  }
  return chosen;
}
