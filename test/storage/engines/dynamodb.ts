import { readFileSync } from 'node:fs';
import { createDynamodbBackend } from '@recap/storage';
import type { FakeClock } from '@recap/storage/testing';
import type { Engine } from '../describe-on';
import {
  dynamoEndpoint,
  freshPrefix,
  hasTransactions,
  makeClient,
  place,
  removeTable,
} from '../dynamodb-servers';

let keyPrefix = '';
let transact: boolean | undefined;
const admin = makeClient();

const another = async (clock: FakeClock) => {
  transact ??= await hasTransactions(admin);
  const backend = createDynamodbBackend({ ...place(), keyPrefix, transact, clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
};

export const dynamodb: Engine = {
  name: 'dynamodb',
  missing: dynamoEndpoint === undefined ? 'RECAP_TEST_DYNAMODB_ENDPOINT names no server' : undefined,
  open: (clock) => {
    keyPrefix = freshPrefix();
    return another(clock);
  },
  another,
  server: () => Promise.resolve(process.env['DYNAMODB_ENDPOINT'] ?? `dynalite ${dynaliteVersion()}`),
  end: async () => {
    await removeTable(admin);
    admin.destroy();
  },
};

function dynaliteVersion(): string {
  const text = readFileSync(require.resolve('dynalite/package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
