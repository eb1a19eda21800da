import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
  type TransactWriteItem,
  type TransactWriteItemsCommandInput,
} from '@aws-sdk/client-dynamodb';
import { hasTransactions } from './dynamodb-servers';

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
 * Transactions of the server where it has them; else as the service promises them, one after the other: each item is
 * changed by a call of its own, and all are put back when a condition fails.
 */
export function withTransactions(client: DynamoDBClient) {
  let last: Promise<unknown> = Promise.resolve();
  let isStubbed: Promise<boolean> | undefined;
  return clientAround(client, async (command, send) => {
    if (command.constructor.name !== 'TransactWriteItemsCommand') return send(command);
    const { TransactItems: items = [], ClientRequestToken: token } =
      command.input as TransactWriteItemsCommandInput;
    checkTransaction(items, token);
    isStubbed ??= hasTransactions(client).then((has) => !has);
    if (!(await isStubbed)) return send(command);
    const mine = last.then(() => transact(client, items));
    last = mine.catch(() => undefined);
    return mine;
  });
}

/** What the service refuses before it looks at any item. */
function checkTransaction(items: readonly TransactWriteItem[], token: string | undefined): void {
  const refuse = (why: string): never => {
    throw Object.assign(new Error(why), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
  };
  if (items.length < 1 || items.length > 100) refuse(`It has ${items.length} actions, not 1 to 100.`);
  if (token !== undefined && !/^.{1,36}$/.test(token)) refuse('Its token has not 1 to 36 characters.');
  const keys = items.map((item) => {
    const inputs = [item.Put, item.Update, item.Delete, item.ConditionCheck].filter(
      (input) => input !== undefined,
    );
    const [input] = inputs;
    if (input === undefined || inputs.length > 1) return refuse('An action is not one of four.');
    if ('ReturnValues' in input) refuse('An action asks for return values.');
    if (item.ConditionCheck !== undefined && item.ConditionCheck.ConditionExpression === undefined)
      refuse('A check has no condition.');
    const texts = [input.ConditionExpression, 'UpdateExpression' in input ? input.UpdateExpression : ''];
    for (const name of Object.keys(input.ExpressionAttributeValues ?? {}))
      if (!new RegExp(`${name}\\b`).test(texts.join(' '))) refuse(`${name} is unused in expressions.`);
    const { pk, sk } = 'Item' in input ? input.Item! : (input as { Key: Record<string, AttributeValue> }).Key;
    return `${Buffer.from(pk!.B!).toString('hex')} ${Buffer.from(sk!.B!).toString('hex')}`;
  });
  if (new Set(keys).size < keys.length) refuse('It includes multiple operations on one item.');
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
