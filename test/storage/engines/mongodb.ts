import type { FakeClock } from '@recap/storage/testing';
import { MongoClient } from 'mongodb';
import type { Engine } from '../describe-on';
import {
  describeServer,
  emptyCollections,
  freshPrefix,
  mongodbUrl,
  removeOurs,
  toBackend,
} from '../mongodb-servers';

const collectionPrefix = freshPrefix();
let admin: MongoClient | undefined;

const another = async (clock: FakeClock) => {
  const backend = toBackend({ collectionPrefix, clock });
  await backend.open();
  return backend;
};

export const mongodb: Engine = {
  name: 'mongodb',
  missing: mongodbUrl === undefined ? 'RECAP_TEST_MONGODB_URL names no server' : undefined,
  open: async (clock) => {
    admin ??= new MongoClient(mongodbUrl ?? '');
    await emptyCollections(admin, collectionPrefix);
    return another(clock);
  },
  another,
  server: () => {
    admin ??= new MongoClient(mongodbUrl ?? '');
    return describeServer(admin);
  },
  end: async () => {
    if (admin === undefined) return;
    await removeOurs(admin);
    await admin.close();
  },
};
