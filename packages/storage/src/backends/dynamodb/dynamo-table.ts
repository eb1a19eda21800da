import { setTimeout as pause } from 'node:timers/promises';
import type { Attribute, Attributes, CommandName, DynamoClient, DynamoModule } from './dynamo-client';
import { isConditionFailure, isWorthAnotherTry, isWorthRepeating, mayBeDone } from './dynamo-errors';
import { inParallel } from '../../in-parallel';

export interface Condition {
  readonly expression: string;
  readonly values?: Attributes | undefined;
}

/** Which failed calls are made again: any, or only those that were certainly not carried out. */
type Repeats = 'any' | 'undone';

export interface TableQuery {
  readonly partition: Buffer;
  /** Of the sort key, with its values beside it. */
  readonly where?: Condition | undefined;
  readonly filter?: Condition;
  readonly attributes?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
  readonly after?: Attributes | undefined;
  /** Of expiries. */
  readonly index?: { readonly name: string; readonly partitionName: string };
}

export interface TablePage {
  readonly items: readonly Attributes[];
  /** How many match, whether they were asked for or not. */
  readonly last: Attributes | undefined;
}

export interface TableOptions {
  readonly name: string;
  /** How long a call that the server throttles is repeated. */
  readonly retryMs: number;
  /** From 0 up to 1, as `Math.random`. */
  readonly random: () => number;
}

const FIRST_DELAY_MS = 25;
const MAX_DELAY_MS = 1_000;
/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const READ_AT_ONCE = 100;
const WRITE_AT_ONCE = 25;
const WIDTH = 8;

/** The calls of DynamoDB on one table. Reads are consistent; what the server throttles is repeated. */
export class DynamoTable {
  readonly name: string;
  readonly #client: DynamoClient;
  readonly #commands: DynamoModule;
  readonly #retryMs: number;
  readonly #random: () => number;
  #isEnded = false;

  constructor(client: DynamoClient, commands: DynamoModule, { name, retryMs, random }: TableOptions) {
    this.name = name;
    this.#client = client;
    this.#commands = commands;
    this.#retryMs = retryMs;
    this.#random = random;
  }

  /** From now on nothing is repeated. */
  end(): void {
    this.#isEnded = true;
  }

  async get(key: Attributes, attributes?: string): Promise<Attributes | undefined> {
    const { Item: item } = await this.send<{ Item?: Attributes }>('GetItemCommand', {
      TableName: this.name,
      Key: key,
      ConsistentRead: true,
      ...(attributes !== undefined && { ProjectionExpression: attributes }),
    });
    return item;
  }

  /** In the order of the keys, of which none comes twice. */
  async getMany(keys: readonly Attributes[], attributes?: string): Promise<(Attributes | undefined)[]> {
    const found = new Map<string, Attributes>();
    await inParallel(chunks(keys, READ_AT_ONCE), WIDTH, async (chunk) => {
      let wanted: readonly Attributes[] | undefined = chunk;
      for (let attempt = 0, since = performance.now(); wanted !== undefined; attempt += 1) {
        if (attempt > 0) await this.backOff(attempt - 1, since, unprocessed);
        const answer: BatchGetAnswer = await this.send('BatchGetItemCommand', {
          RequestItems: {
            [this.name]: {
              Keys: wanted,
              ConsistentRead: true,
              ...(attributes !== undefined && { ProjectionExpression: attributes }),
            },
          },
        });
        const items = answer.Responses?.[this.name] ?? [];
        for (const item of items) found.set(nameOf(item), item);
        const left = answer.UnprocessedKeys?.[this.name]?.Keys;
        // Whoever got something gets the rest sooner, and has as long for it. What is not there is no item.
        if (left !== undefined && left.length < wanted.length) [attempt, since] = [0, performance.now()];
        wanted = left;
      }
    });
    return keys.map((key) => found.get(nameOf(key)));
  }

  /** Whether the condition held. */
  async put(item: Attributes, condition?: Condition, repeats: Repeats = 'any'): Promise<boolean> {
    const input = { TableName: this.name, Item: item, ...toInput(condition) };
    return (await this.#unlessRefused('PutItemCommand', input, repeats)) !== undefined;
  }

  /** What the changed attributes are now, or `undefined` where the condition did not hold. */
  async update(key: Attributes, change: Condition, condition: Condition): Promise<Attributes | undefined> {
    const answer = await this.#unlessRefused<{ Attributes?: Attributes }>('UpdateItemCommand', {
      TableName: this.name,
      Key: key,
      ReturnValues: 'UPDATED_NEW',
      UpdateExpression: change.expression,
      ConditionExpression: condition.expression,
      ExpressionAttributeValues: { ...change.values, ...condition.values },
    });
    return answer && (answer.Attributes ?? {});
  }

  /** What was there, or `refused` where the condition did not hold. */
  async remove(
    key: Attributes,
    condition?: Condition,
    repeats: Repeats = 'any',
  ): Promise<Attributes | 'refused' | undefined> {
    const input = { TableName: this.name, Key: key, ReturnValues: 'ALL_OLD', ...toInput(condition) };
    const answer = await this.#unlessRefused<{ Attributes?: Attributes }>(
      'DeleteItemCommand',
      input,
      repeats,
    );
    return answer === undefined ? 'refused' : answer.Attributes;
  }

  async removeMany(keys: readonly Attributes[]): Promise<void> {
    await inParallel(chunks(keys, WRITE_AT_ONCE), WIDTH, async (chunk) => {
      let wanted: readonly object[] | undefined = chunk.map((key) => ({ DeleteRequest: { Key: key } }));
      for (
        let attempt = 0, since = performance.now();
        wanted !== undefined && wanted.length > 0;
        attempt += 1
      ) {
        if (attempt > 0) await this.backOff(attempt - 1, since, unprocessed);
        const answer: { UnprocessedItems?: Record<string, readonly object[]> } = await this.send(
          'BatchWriteItemCommand',
          { RequestItems: { [this.name]: wanted } },
        );
        const left: readonly object[] | undefined = answer.UnprocessedItems?.[this.name];
        if (left !== undefined && left.length < wanted.length) [attempt, since] = [0, performance.now()];
        wanted = left;
      }
    });
  }

  async query(query: TableQuery): Promise<TablePage> {
    const { partition, where, filter, attributes, limit, reverse, after, index } = query;
    const own = `${index?.partitionName ?? 'pk'} = :pk`;
    const answer = await this.send<{ Items?: Attributes[]; LastEvaluatedKey?: Attributes }>('QueryCommand', {
      TableName: this.name,
      KeyConditionExpression: where === undefined ? own : `${own} AND ${where.expression}`,
      ExpressionAttributeValues: { ':pk': { B: partition }, ...where?.values, ...filter?.values },
      ...(index === undefined ? { ConsistentRead: true } : { IndexName: index.name }),
      ...(filter !== undefined && { FilterExpression: filter.expression }),
      ...(attributes !== undefined && { ProjectionExpression: attributes }),
      ...(limit !== undefined && { Limit: limit }),
      ...(reverse === true && { ScanIndexForward: false }),
      ...(after !== undefined && { ExclusiveStartKey: after }),
    });
    return { items: answer.Items ?? [], last: answer.LastEvaluatedKey };
  }

  /** All pages: one ends after 1 MB, whatever was asked for. */
  async *pages(query: TableQuery): AsyncGenerator<readonly Attributes[]> {
    for (let after = query.after, isFirst = true; isFirst || after !== undefined; isFirst = false) {
      const page: TablePage = await this.query({ ...query, after });
      yield page.items;
      after = page.last;
    }
  }

  async send<Answer>(command: CommandName, input: object, repeats: Repeats = 'any'): Promise<Answer> {
    let hasTriedAgain = false;
    for (let attempt = 0, since = performance.now(); ; attempt += 1) {
      try {
        return (await this.#client.send(new this.#commands[command](input))) as Answer;
      } catch (error) {
        if (repeats === 'undone' && mayBeDone(error)) throw error;
        if (!isWorthRepeating(error)) {
          if (hasTriedAgain || !isWorthAnotherTry(error)) throw error;
          hasTriedAgain = true;
        }
        await this.backOff(attempt, since, () => error);
      }
    }
  }

  async #unlessRefused<Answer>(
    command: CommandName,
    input: object,
    repeats?: Repeats,
  ): Promise<Answer | undefined> {
    try {
      return await this.send<Answer>(command, input, repeats);
    } catch (error) {
      if (isConditionFailure(error)) return undefined;
      throw error;
    }
  }

  /**
   * Exponential back-off with full jitter.
   *
   * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
   */
  async backOff(attempt: number, since: number, toError: () => unknown): Promise<void> {
    const delayMs = this.#random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
    if (this.#isEnded || performance.now() - since + delayMs > this.#retryMs) throw toError();
    await pause(delayMs);
  }
}

interface BatchGetAnswer {
  readonly Responses?: Readonly<Record<string, readonly Attributes[]>>;
  readonly UnprocessedKeys?: Readonly<Record<string, { readonly Keys?: readonly Attributes[] }>>;
}

function unprocessed(): Error {
  return Object.assign(new Error('The server left a part of a batch undone each time.'), {
    name: 'ProvisionedThroughputExceededException',
  });
}

function toInput(condition: Condition | undefined): object {
  if (condition === undefined) return {};
  const { expression, values } = condition;
  return { ConditionExpression: expression, ...(values && { ExpressionAttributeValues: values }) };
}

function nameOf({ pk, sk }: Attributes): string {
  return `${hex(pk)} ${hex(sk)}`;
}

function hex(key: Attribute | undefined): string {
  const { buffer, byteOffset, length } = key!.B!;
  return Buffer.from(buffer, byteOffset, length).toString('hex');
}

function chunks<T>(list: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) =>
    list.slice(at * size, (at + 1) * size),
  );
}
