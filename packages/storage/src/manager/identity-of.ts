import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { databaseOf } from '../backends/mongodb/open-mongodb';
import { isSocket } from './is-socket';
import type { ResolvedBackend } from './resolved-config';

/**
 * What tells the storage of a configuration from others of its kind, as a hash: where it is, and nothing secret. It is
 * `undefined` where only the program knows. A file has to be there already, since a link may lead to it.
 */
export function identityOfConfig(config: ResolvedBackend): string | undefined {
  const place = placeOf(config, realPath);
  if (place === undefined) return undefined;
  const text = JSON.stringify([config.type, Object.values(place)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The same in words, such as `postgres (host db.example, port 5432, database app)`. A file does not have to be there. */
export function placeInWords(config: ResolvedBackend): string | undefined {
  const place = placeOf(config, resolve);
  if (place === undefined) return undefined;
  // What options hold, nobody knows.
  const known = Object.entries(place).filter(([name, value]) => value != null && name !== 'options');
  return `${config.type} (${known.map(([name, value]) => `${name} ${String(value)}`).join(', ')})`;
}

type Place = Readonly<Record<string, string | number | readonly string[] | null | undefined>>;

/** In the order of the hash. */
function placeOf(config: ResolvedBackend, toPath: (path: string) => string): Place | undefined {
  if ('client' in config && config.client !== undefined) return undefined;
  switch (config.type) {
    case 'memory':
    case 'custom':
      return undefined;
    case 'file':
      return { path: toPath(config.path) };
    case 'sqlite':
      return config.path === ':memory:' ? undefined : { path: toPath(config.path) };
    case 'postgres': {
      const { host, port = 5_432, username, database = username, schema, options } = config;
      // The port is a part of the name of its socket.
      const place = { host: hostName(host), port, database: database ?? null, schema: schema ?? null };
      // They may say where the tables are.
      return options === undefined ? place : { ...place, options };
    }
    case 'redis': {
      const { host, port = 6_379, db = 0, sentinel, cluster, keyPrefix } = config;
      // Everything begins with its prefix there, so another prefix is another storage.
      if (sentinel !== undefined)
        return { by: 'sentinel', name: sentinel.name, nodes: nodeNames(sentinel.nodes), db, keyPrefix };
      if (cluster !== undefined) return { by: 'cluster', nodes: nodeNames(cluster.nodes), keyPrefix };
      return { host: hostName(host), port: isSocket(host) ? null : port, db, keyPrefix };
    }
    case 'mongodb': {
      const { url, host, port = 27_017, database = databaseOf(config), collectionPrefix } = config;
      if (url === undefined) return { hosts: [`${hostName(host)}:${port}`], database, collectionPrefix };
      const named = MONGODB_HOSTS.exec(url)?.[1] ?? '';
      const hosts = named.split(',').map((each) => hostAndPort(each, url.startsWith('mongodb+srv:')));
      return { hosts: hosts.sort(), database, collectionPrefix };
    }
    case 'dynamodb': {
      const { region, endpoint, table, keyPrefix } = config;
      const { protocol = '', hostname = '', port = '' } = endpoint === undefined ? {} : new URL(endpoint);
      const server = endpoint === undefined ? null : [hostName(hostname), port || protocol];
      return { region: region ?? null, endpoint: server, table, keyPrefix };
    }
  }
}

/** Without who comes and with what password. */
const MONGODB_HOSTS = /^mongodb(?:\+srv)?:\/\/(?:[^/?]*@)?([^/?]*)/;

function hostAndPort(text: string, isLookedUp: boolean): string {
  if (/^%2f/i.test(text)) return socketOf(text);
  const [, host = text, port = '27017'] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  return isLookedUp ? host.toLowerCase() : `${hostName(host)}:${port}`;
}

function socketOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // The driver refuses it.
    return encoded;
  }
}

const nodeNames = (nodes: readonly { readonly host: string; readonly port: number }[]): string[] =>
  nodes.map(({ host, port }) => `${hostName(host)}:${port}`).sort();

/** The names that one's own machine has are one. */
function hostName(host = 'localhost'): string {
  if (isSocket(host)) return host;
  const name = host.toLowerCase();
  return name === '127.0.0.1' || name === '::1' || name === '[::1]' ? 'localhost' : name;
}

function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    // It was opened, so this is no reason to fail.
    return resolve(path);
  }
}
