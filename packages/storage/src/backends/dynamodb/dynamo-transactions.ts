import type { DriverWrite, Verdict } from '../../driver';
import { newId } from '../../new-id';
import type { Bodies } from './bodies';
import { byteLength, readNumber } from './dynamo-attributes';
import type { Attributes } from './dynamo-client';
import { errorName } from './dynamo-errors';
import type { DynamoKeys } from './dynamo-keys';
import type { Condition, DynamoTable } from './dynamo-table';
import { judgeDelete, judgeSet, type DynamoParts, type DynamoValues } from './dynamo-values';
import { isVisible, readHead, unchanged, type Head } from './heads';
import { judgeAppend, type ListWriter } from './list-writer';
import type { PartitionRegistry } from './partition-registry';
import { PART_BYTES } from './runs';

interface Step {
  readonly action: object;
  readonly verdict: Verdict;
  /** Named by nothing unless the transaction succeeds, or by what was there before. */
  readonly touched: string | undefined;
  /** Named by nothing once it has succeeded. */
  readonly replaced?: string | undefined;
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
    let last: readonly Step[] = [];
    for (let attempt = 0, since = performance.now(); ; attempt += 1) {
      const heads = await this.#heads(writes);
      for (const [place, step] of last.entries()) await this.#lists.forgetUnnamed(step, heads[place]);
      const judged = writes.map((write, place) => judge(write, heads[place], now));
      if (judged.some((verdict) => verdict !== undefined && REFUSALS.has(verdict.status)))
        return judged.map((verdict) => verdict ?? { status: 'written' });
      const steps: Step[] = [];
      for (const [place, write] of writes.entries())
        steps.push(await this.#toStep(write, heads[place], judged[place], now));
      const failure = await this.#send(steps);
      if (failure === undefined) {
        for (const { replaced } of steps) if (replaced !== undefined) await this.#bodies.forget(replaced);
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
      const begun = byteLength(write.value) > PART_BYTES ? await this.#values.upload(write, now) : undefined;
      const item = this.#values.toItem(write, begun, now);
      return {
        action: { Put: this.#input({ Item: item }, same) },
        verdict: { status: 'written' },
        touched: begun?.id,
        replaced: head?.body,
      };
    }
    const plan = await this.#lists.plan(write, head, now, { isStrict: true });
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
  if (errorName(error) !== 'TransactionCanceledException') return false;
  const { CancellationReasons: reasons = [] } = error as {
    CancellationReasons?: readonly { Code?: string }[];
  };
  return reasons.every(({ Code: code = 'None' }) => PASSING.has(code));
}
