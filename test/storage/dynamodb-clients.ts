import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';

export interface Command {
  readonly constructor: { readonly name: string };
  readonly input: object;
}

type Send = (command: Command) => Promise<unknown>;

/** A client whose calls go through `around`. */
export function clientAround(
  client: DynamoDBClient,
  around: (command: Command, send: Send) => Promise<unknown>,
) {
  const send: Send = (command) => client.send(command as never);
  return { send: (command: Command) => around(command, send), destroy: () => undefined };
}

export function failureOf(name: string, more: object = {}): Error {
  return Object.assign(new Error(`The test makes ${name}.`), { name, ...more });
}

/** A command like this one, with other settings. */
export function changed(command: Command, input: object): Command {
  const { constructor } = command as unknown as { constructor: new (input: object) => Command };
  return new constructor({ ...command.input, ...input });
}

/**
 * Transactions as the service promises them, one after the other, on a server that has none: each item is changed by a
 * call of its own, and all are put back when a condition fails.
 */
export function withTransactions(client: DynamoDBClient) {
  let last: Promise<unknown> = Promise.resolve();
  return clientAround(client, async (command, send) => {
    if (command.constructor.name !== 'TransactWriteItemsCommand') return send(command);
    const { TransactItems: items } = command.input as { TransactItems: readonly TransactWriteItem[] };
    const mine = last.then(() => transact(client, items));
    last = mine.catch(() => undefined);
    return mine;
  });
}

async function transact(client: DynamoDBClient, items: readonly TransactWriteItem[]): Promise<object> {
  const undo: (() => Promise<unknown>)[] = [];
  for (const [place, item] of items.entries()) {
    const input = (item.Put ?? item.Update ?? item.Delete ?? item.ConditionCheck)!;
    const all = 'Item' in input ? input.Item! : (input as { Key: Record<string, AttributeValue> }).Key;
    const at = { TableName: input.TableName, Key: { pk: all['pk']!, sk: all['sk']! } };
    const { Item: before } = await client.send(new GetItemCommand({ ...at, ConsistentRead: true }));
    try {
      if (item.Put !== undefined) await client.send(new PutItemCommand(item.Put));
      else if (item.Delete !== undefined) await client.send(new DeleteItemCommand(item.Delete));
      else await client.send(new UpdateItemCommand({ ...(input as object), ...at }));
    } catch (error) {
      for (const one of undo.reverse()) await one();
      if ((error as Error).name !== 'ConditionalCheckFailedException') throw error;
      const reasons = items.map((_, index) => ({
        Code: index === place ? 'ConditionalCheckFailed' : 'None',
      }));
      throw failureOf('TransactionCanceledException', { CancellationReasons: reasons });
    }
    undo.push(() =>
      before === undefined
        ? client.send(new DeleteItemCommand(at))
        : client.send(new PutItemCommand({ TableName: at.TableName, Item: before })),
    );
    // A check is made by a change that is none, and that leaves an empty item where nothing was.
    if (item.ConditionCheck !== undefined) await undo.pop()!();
  }
  return {};
}
