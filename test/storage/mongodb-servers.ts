import { createMongodbBackend, type MongodbBackendOptions } from '@recap/storage';
import type { MongoClient } from 'mongodb';

/** MongoDB for tests, a genuine server or the stand-in for its protocol. */
const { RECAP_TEST_MONGODB_URL } = process.env;

export const mongodbUrl = RECAP_TEST_MONGODB_URL;

/** Of this process alone: the server may be the user's own. */
export const databaseName = `recap-test-${process.pid}`;

let prefixes = 0;

/** A prefix under which nothing is yet. */
export function freshPrefix(): string {
  prefixes += 1;
  return `t${prefixes}_`;
}

export function toBackend(options: MongodbBackendOptions = {}) {
  return createMongodbBackend({
    url: mongodbUrl ?? '',
    database: databaseName,
    sweepIntervalMs: 0,
    ...options,
  });
}

/** Removes what tests of this process left, and nothing else. */
export async function removeOurs(client: MongoClient): Promise<void> {
  await client.db(databaseName).dropDatabase();
}

/** Empty, rather than new ones: making indexes takes a server longer than a test does. */
export async function emptyCollections(client: MongoClient, prefix: string): Promise<void> {
  for (const name of ['items', 'chunks'])
    await client.db(databaseName).collection(`${prefix}${name}`).deleteMany({});
}

/** The server's name and version, for the table of `npm test`. */
export async function describeServer(client: MongoClient): Promise<string> {
  const { version, recapStandIn } = await client.db('admin').command({ buildInfo: 1 });
  if (recapStandIn === true) return 'a protocol stand-in';
  const { setName, msg } = await client.db('admin').command({ isMaster: 1 });
  const kind = msg === 'isdbgrid' ? ', sharded' : setName === undefined ? ', one server' : ', a replica set';
  return `MongoDB ${String(version)}${kind}`;
}

/** The address of the one server that takes writes, with the user and the options of the URL. */
export async function primaryUrl(client: MongoClient): Promise<string> {
  // By the name that the oldest servers know as well.
  const { primary, me } = await client.db('admin').command({ isMaster: 1 });
  const [, scheme = '', account = '', host = '', rest = ''] =
    /^(mongodb(?:\+srv)?:\/\/)([^@/]*@)?([^/?]*)(.*)$/.exec(mongodbUrl ?? '') ?? [];
  const first = String(primary ?? me ?? host.split(',')[0]);
  const address = /:\d+$/.test(first) ? first : `${first}:27017`;
  const [path = '', options = ''] = rest.split('?');
  const kept = options.split('&').filter((option) => !/^(replicaSet|$)/i.test(option));
  const query = [...kept, 'directConnection=true'].join('&');
  return `${scheme.replace('+srv', '')}${account}${address}${path === '' ? '/' : path}?${query}`;
}
