import type { ConfigProblem } from './config-problem';

/** What settings of other systems are called here. They are not taken, since they often mean something else too. */
export const foreignSettings: Readonly<Record<string, string>> = {
  Type: 'names are lower case here: "type"',
  RedisAddress: 'here "host" and "port", or "url"',
  RedisPassword: 'here "password"',
  RedisDB: 'here "db"',
  MongoURI: 'mongodb is not there yet',
  MongoDatabase: 'mongodb is not there yet',
  MongoCollection: 'mongodb is not there yet',
  AWSRegion: 'here "region"',
  DynamoRegion: 'here "region"',
  DynamoTable: 'here "table"',
  DynamoEndpoint: 'here "endpoint"',
  SessionTTL: 'a lifetime is given with each write: cache.set(key, value, ttlSeconds)',
  Timeout: 'here "timeoutMs", in milliseconds',
  MaxRetries: 'here "retry": { "retries": … }',
  ConnectionURL: 'here "url", with redis:// or postgres:// before the host',
  RedisOptions: 'here its settings stand beside "type"',
  PostgreSQLOptions: 'here its settings stand beside "type": "ssl", "applicationName"',
  FileOptions: 'file is not there yet; sqlite has "path"',
  MaxConnections: 'here "pool": { "max": … }',
  ConnectTimeout: 'here "timeoutMs", in milliseconds',
  ReadTimeout: 'here "timeoutMs", in milliseconds',
  WriteTimeout: 'here "timeoutMs", in milliseconds',
  Schema: 'here "schema"',
};

/** What to say instead of each name that is a foreign one. */
export function foreignProblems(names: readonly string[], path: readonly PropertyKey[]): ConfigProblem[] {
  return names
    .filter((name) => Object.hasOwn(foreignSettings, name))
    .map((name) => ({ path: [...path, name], message: foreignSettings[name]! }));
}
