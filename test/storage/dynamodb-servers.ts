import { DynamoDBClient, DeleteTableCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { DynamodbBackendOptions } from '@recap/storage';

/* The server that `npm test` starts, or that `DYNAMODB_ENDPOINT` names. */
const {
  RECAP_TEST_DYNAMODB_ENDPOINT: endpoint,
  AWS_ACCESS_KEY_ID: accessKey,
  AWS_PROFILE: profile,
} = process.env;

export const dynamoEndpoint = endpoint;

/** A table of this process alone: the server may be the user's own. */
export const testTable = `recap-test-${process.pid}-${Date.now()}`;

/** What is of AWS wants real credentials; a local server takes any. */
const hasCredentials = accessKey !== undefined || profile !== undefined || /amazonaws/.test(endpoint ?? '');

export const localCredentials = { accessKeyId: 'recap', secretAccessKey: 'recap' };

/** Signatures hold it: that of the server's name, else what the environment says. */
const region =
  /dynamodb(?:-fips)?\.([a-z0-9-]+)\.amazonaws/.exec(endpoint ?? '')?.[1] ??
  process.env['AWS_REGION'] ??
  'us-east-1';

export function place(url = endpoint ?? ''): DynamodbBackendOptions {
  const own = { endpoint: url, region, table: testTable, createTable: true, timeoutMs: 60_000 };
  return hasCredentials ? own : { ...own, credentials: localCredentials };
}

export function makeClient(url = endpoint ?? ''): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: url,
    region,
    // A copy, since the SDK notes something in it.
    ...(!hasCredentials && { credentials: { ...localCredentials } }),
  });
}

let prefixes = 0;

/** A prefix under which nothing is yet. */
export function freshPrefix(): string {
  prefixes += 1;
  return `*?[a-z]\\-${prefixes}:`;
}

/** Whether that server has transactions: `dynalite` has none. */
export async function hasTransactions(client: DynamoDBClient): Promise<boolean> {
  try {
    await client.send(new TransactWriteItemsCommand({ TransactItems: [] }));
    return true;
  } catch (error) {
    return (error as Error).name !== 'UnknownOperationException';
  }
}

export async function removeTable(client: DynamoDBClient, table = testTable): Promise<void> {
  await client.send(new DeleteTableCommand({ TableName: table })).catch((error: unknown) => {
    if ((error as Error).name !== 'ResourceNotFoundException') throw error;
  });
}
