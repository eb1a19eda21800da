import { setTimeout as pause } from 'node:timers/promises';
import { StorageError } from '../../errors';
import { errorName } from './dynamo-errors';
import { EXPIRY_INDEX } from './dynamo-keys';
import type { DynamoTable } from './dynamo-table';

export interface TableWishes {
  readonly createTable: boolean;
  readonly createTimeoutMs: number;
  readonly declareTimeToLive: boolean;
}

interface KeyPart {
  readonly AttributeName?: string;
  readonly KeyType?: string;
}

interface Description {
  readonly TableStatus?: string;
  readonly KeySchema?: readonly KeyPart[];
  readonly AttributeDefinitions?: readonly {
    readonly AttributeName?: string;
    readonly AttributeType?: string;
  }[];
  readonly GlobalSecondaryIndexes?: readonly {
    readonly IndexName?: string;
    readonly IndexStatus?: string;
    readonly KeySchema?: readonly KeyPart[];
  }[];
}

const FIRST_LOOK_MS = 50;
const LOOK_MS = 1_000;
/** The attribute of seconds by which the server drops what has expired. */
const TIME_TO_LIVE = 'delete_after';

const KEYS = [
  { AttributeName: 'pk', KeyType: 'HASH' },
  { AttributeName: 'sk', KeyType: 'RANGE' },
];
const EXPIRY_KEYS = [
  { AttributeName: 'expiry_shard', KeyType: 'HASH' },
  { AttributeName: 'expires_at', KeyType: 'RANGE' },
];
const TYPES: Readonly<Record<string, string>> = { pk: 'B', sk: 'B', expiry_shard: 'B', expires_at: 'N' };

/** Makes sure that the table is there and is one of ours. */
export async function prepareTable(table: DynamoTable, wishes: TableWishes): Promise<void> {
  const look = async (): Promise<Description | undefined> => {
    const there = await describe(table);
    if (there !== undefined || !wishes.createTable) return there;
    // Also after waiting for the end of one that is being deleted.
    await create(table);
    return describe(table);
  };
  let found = await look();
  const since = performance.now();
  for (
    let delayMs = FIRST_LOOK_MS;
    found === undefined || !isActive(found);
    delayMs = Math.min(delayMs * 2, LOOK_MS)
  ) {
    if (found === undefined && !wishes.createTable)
      throw new StorageError(
        'CONFIG_INVALID',
        `DynamoDB has no table "${table.name}". Create it as the guide says, or set "createTable".`,
      );
    if (performance.now() - since > wishes.createTimeoutMs)
      throw new StorageError('UNAVAILABLE', `The table "${table.name}" is not active yet. Try again later.`);
    await pause(delayMs);
    found = await look();
  }
  checkSchema(table.name, found);
  if (wishes.declareTimeToLive) await declareTimeToLive(table);
}

async function describe(table: DynamoTable): Promise<Description | undefined> {
  try {
    const answer = await table.send<{ Table?: Description }>('DescribeTableCommand', {
      TableName: table.name,
    });
    return answer.Table;
  } catch (error) {
    if (errorName(error) === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

async function create(table: DynamoTable): Promise<void> {
  try {
    await table.send('CreateTableCommand', {
      TableName: table.name,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: KEYS,
      AttributeDefinitions: Object.entries(TYPES).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
      })),
      GlobalSecondaryIndexes: [
        { IndexName: EXPIRY_INDEX, KeySchema: EXPIRY_KEYS, Projection: { ProjectionType: 'KEYS_ONLY' } },
      ],
    });
  } catch (error) {
    // Another is creating it.
    if (errorName(error) !== 'ResourceInUseException') throw error;
  }
}

function isActive({ TableStatus: status, GlobalSecondaryIndexes: indexes = [] }: Description): boolean {
  const expiry = indexes.find(({ IndexName: name }) => name === EXPIRY_INDEX);
  // A table that is changed otherwise serves meanwhile.
  return status !== 'CREATING' && status !== 'DELETING' && expiry?.IndexStatus !== 'CREATING';
}

function checkSchema(name: string, found: Description): void {
  const types = new Map(
    found.AttributeDefinitions?.map(({ AttributeName: one, AttributeType: type }) => [one, type]),
  );
  const expiry = found.GlobalSecondaryIndexes?.find(({ IndexName: one }) => one === EXPIRY_INDEX);
  const isOurs =
    isSame(found.KeySchema, KEYS) &&
    isSame(expiry?.KeySchema, EXPIRY_KEYS) &&
    Object.entries(TYPES).every(([one, type]) => types.get(one) === type);
  if (isOurs) return;
  throw new StorageError(
    'CONFIG_INVALID',
    `The table "${name}" has other keys than pk (B) and sk (B), or no index "${EXPIRY_INDEX}" on expiry_shard (B) and expires_at (N). Name another table.`,
  );
}

function isSame(found: readonly KeyPart[] | undefined, wanted: readonly KeyPart[]): boolean {
  return wanted.every(({ AttributeName: name, KeyType: type }) =>
    found?.some((one) => one.AttributeName === name && one.KeyType === type),
  );
}

async function declareTimeToLive(table: DynamoTable): Promise<void> {
  if (await hasTimeToLive(table)) return;
  try {
    await table.send('UpdateTimeToLiveCommand', {
      TableName: table.name,
      TimeToLiveSpecification: { AttributeName: TIME_TO_LIVE, Enabled: true },
    });
  } catch (error) {
    // Another may have declared it since.
    if (errorName(error) !== 'ValidationException' || !(await hasTimeToLive(table))) throw error;
  }
}

async function hasTimeToLive(table: DynamoTable): Promise<boolean> {
  const { TimeToLiveDescription: now } = await table.send<{
    TimeToLiveDescription?: { TimeToLiveStatus?: string; AttributeName?: string };
  }>('DescribeTimeToLiveCommand', { TableName: table.name });
  const status = now?.TimeToLiveStatus;
  if (status !== 'ENABLED' && status !== 'ENABLING') return false;
  if (now?.AttributeName === TIME_TO_LIVE) return true;
  throw new StorageError(
    'CONFIG_INVALID',
    `The table "${table.name}" has another attribute of its time to live than "${TIME_TO_LIVE}". Disable that one.`,
  );
}
