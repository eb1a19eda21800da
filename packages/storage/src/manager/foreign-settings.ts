import type { ConfigProblem } from '../options/config-problem';

/** What settings of other systems are called here. They are not taken, since they often mean something else too. */
export const foreignSettings: Readonly<Record<string, string>> = {
  Type: 'names are lower case here: "type"',
  RedisAddress: 'here "host" and "port", or "url"',
  RedisPassword: 'here "password"',
  RedisDB: 'here "db"',
  MongoURI: 'here "url"',
  MongoDatabase: 'here "database"',
  MongoCollection: 'here "collectionPrefix", since there are two',
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
  FileOptions: 'here its settings stand beside "type": "path", "enableSharding", "enableBackups"',
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
