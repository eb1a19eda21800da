import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { createMongodbBackend, type MongodbBackendOptions } from '@recap/storage';
import type { MongoClient } from 'mongodb';

/** MongoDB for tests, a genuine server or the stand-in for its protocol. */
const { RECAP_TEST_MONGODB_URL } = process.env;

export const mongodbUrl = RECAP_TEST_MONGODB_URL;

const [, named = ''] = /^[^:]+:\/\/[^/?]*\/([^?]+)/.exec(mongodbUrl ?? '') ?? [];

/** The one that the URL names: its user may have no rights elsewhere. Where users are known, no transaction writes. */
export const databaseName = /^(|admin|config|local)$/.test(named) ? 'recap-test' : decodeURIComponent(named);

/** Of this process alone: the server, and the database, may be the user's own. */
const OURS = `recap-test-${process.pid}-`;

let prefixes = 0;

/** A prefix under which nothing is yet. */
export function freshPrefix(): string {
  prefixes += 1;
  return `${OURS}${prefixes}_`;
}

export function toBackend(options: MongodbBackendOptions = {}) {
  return createMongodbBackend({
    url: mongodbUrl ?? '',
    database: databaseName,
    sweepIntervalMs: 0,
    ...options,
  });
}

/** Removes what tests of this process left, and nothing else. Whoever may write may drop collections, but no database. */
export async function removeOurs(client: MongoClient): Promise<void> {
  const database = client.db(databaseName);
  for (const { name } of await database.listCollections({}, { nameOnly: true }).toArray())
    if (name.startsWith(OURS)) await database.collection(name).drop();
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

interface Primary {
  /** Without encryption and compression, which a proxy in between looks through. */
  readonly url: URL;
  /** How it is reached behind that proxy; absent: without encryption. */
  readonly tls?: ConnectionOptions;
}

const ENCRYPTION = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'checkServerIdentity'];
/** Of the URL, what leads to a server, and not what it is asked for. */
const WAYS = /^(replicaSet|directConnection|loadBalanced|compressors|ssl|tls.*|srv.*)$/i;

/** The address of the one server that takes writes, with the user and the options of the URL. */
export async function findPrimary(client: MongoClient): Promise<Primary> {
  // By the name that the oldest servers know as well. What `mongodb+srv` stands for is known hereafter, too.
  const { primary, me } = await client.db('admin').command({ isMaster: 1 });
  const { tls: isEncrypted, directConnection: isDirect, credentials, hosts } = client.options;
  const [, account = '', rest = ''] =
    /^mongodb(?:\+srv)?:\/\/([^@/]*@)?[^/?]*(.*)$/.exec(mongodbUrl ?? '') ?? [];
  // Its own name for itself may lead nowhere from here.
  const address = String(isDirect ? hosts[0] : (primary ?? me ?? hosts[0]));
  const [path = '', query = ''] = rest.split('?');
  const options = new URLSearchParams(query);
  for (const name of [...options.keys()]) if (WAYS.test(name)) options.delete(name);
  options.set('directConnection', 'true');
  if (credentials !== undefined && !options.has('authSource')) options.set('authSource', credentials.source);
  const host = /:\d+$/.test(address) ? address : `${address}:27017`;
  const url = new URL(`mongodb://${account}${host}${path === '' ? '/' : path}?${String(options)}`);
  if (!isEncrypted) return { url };
  const given = Object.entries(client.options).filter(([name]) => ENCRYPTION.includes(name));
  const named = isIP(url.hostname) === 0 ? { servername: url.hostname } : {};
  return { url, tls: { ...Object.fromEntries(given), ...named } };
}
