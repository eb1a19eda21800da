import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { KEYS } from '../values.mjs';

const PARTITION = { S: 'messages' };

/** The SDK's client by hand, with its usual options: one request for one operation, but for an append, which takes two. */
export async function openSubject(_kind, { endpoint, region, credentials, table }) {
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const TableName = `${table}-raw`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 120, minDelay: 1 }, { TableName });
  const at = (pk, sk) => ({ TableName, Key: { pk, sk: { S: sk } } });
  const listAt = (list) => ({ S: `list:${list}` });
  const elementAt = (index) => String(index).padStart(12, '0');
  const query = async (input) => {
    const found = [];
    let ExclusiveStartKey;
    do {
      const answer = await client.send(
        new QueryCommand({ TableName, ConsistentRead: true, ...input, ExclusiveStartKey }),
      );
      found.push(...answer.Items);
      ExclusiveStartKey = input.Limit === undefined ? answer.LastEvaluatedKey : undefined;
    } while (ExclusiveStartKey !== undefined);
    return found;
  };
  const keys = async (pk) => {
    const found = await query({
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ProjectionExpression: 'sk',
    });
    return found.map(({ sk }) => sk.S);
  };
  return {
    get: async (id) => {
      const { Item } = await client.send(
        new GetItemCommand({ ...at(PARTITION, KEYS[id]), ConsistentRead: true }),
      );
      // What has expired is there until the server drops it.
      if (Item === undefined || Number(Item.expires_at?.N) <= Date.now()) return undefined;
      return JSON.parse(Item.json.S);
    },
    set: (id, value) =>
      client.send(
        new PutItemCommand({
          TableName,
          Item: {
            pk: PARTITION,
            sk: { S: KEYS[id] },
            version: { S: randomUUID() },
            json: { S: JSON.stringify(value) },
          },
        }),
      ),
    append: async (list, value) => {
      const { Attributes } = await client.send(
        new UpdateItemCommand({
          ...at(listAt(list), 'length'),
          // What comes again with its version adds nothing.
          UpdateExpression: 'SET version = :version ADD element_count :one',
          ConditionExpression: 'NOT version = :version',
          ExpressionAttributeValues: { ':one': { N: '1' }, ':version': { S: randomUUID() } },
          ReturnValues: 'UPDATED_NEW',
        }),
      );
      const length = Number(Attributes.element_count.N);
      const Item = { pk: listAt(list), sk: { S: elementAt(length) }, json: { S: JSON.stringify(value) } };
      await client.send(new PutItemCommand({ TableName, Item }));
      return length;
    },
    list: async (list) => {
      const { Item } = await client.send(new GetItemCommand(at(listAt(list), 'length')));
      const length = Number(Item.element_count.N);
      const last = await client.send(new GetItemCommand(at(listAt(list), elementAt(length))));
      return { length, last: JSON.parse(last.Item.json.S) };
    },
    drop: async (list) => {
      const names = await keys(listAt(list));
      for (let from = 0; from < names.length; from += 25) {
        const requests = names
          .slice(from, from + 25)
          .map((sk) => ({ DeleteRequest: { Key: at(listAt(list), sk).Key } }));
        await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }));
      }
      await client.send(new DeleteItemCommand(at(listAt(list), 'length')));
    },
    scan: async (from, limit) => {
      const found = await query({
        KeyConditionExpression: 'pk = :pk AND sk >= :from',
        ExpressionAttributeValues: { ':pk': PARTITION, ':from': { S: KEYS[from] } },
        Limit: limit,
      });
      return found.map(({ json }) => JSON.parse(json.S));
    },
    keys: () => keys(PARTITION),
    count: async () => (await keys(PARTITION)).length,
    close: async () => client.destroy(),
  };
}
