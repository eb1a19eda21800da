import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { MongoClient } from 'mongodb';
import { Databases } from '../databases.mjs';
import { Unavailable } from '../recorders/unavailable.mjs';

/** Where each subject keeps its items: apart from the others', on the same server. */
export class Places {
  #databases;
  #servers;
  #redis;
  #mongodb;
  #mongodbDatabases = 0;
  #redisDatabases = 0;
  #dynamodb;
  #dynamodbTables = 0;

  /** @param {{ postgres: object, redis?: object, mongodb?: object, dynamodb?: object }} servers what starts them */
  constructor(servers) {
    this.#servers = servers;
    this.#databases = new Databases(servers.postgres);
  }

  /** @returns {Promise<{ settings: object, tidy?: () => Promise<void>, remove: () => Promise<void> }>} */
  async create(type) {
    switch (type) {
      case 'memory':
        return { settings: { type }, remove: async () => undefined };
      case 'file': {
        const folder = await mkdtemp(join(tmpdir(), 'recap-bench-'));
        const remove = () => rm(folder, { recursive: true, force: true });
        return { settings: { type, path: join(folder, 'items') }, remove };
      }
      case 'sqlite': {
        const folder = await mkdtemp(join(tmpdir(), 'recap-bench-'));
        const remove = () => rm(folder, { recursive: true, force: true });
        return { settings: { type, path: join(folder, 'storage.db') }, remove };
      }
      case 'postgres': {
        const { url, vacuum, drop } = await this.#databases.create();
        return { settings: { type, url }, tidy: vacuum, remove: drop };
      }
      case 'dynamodb':
        return this.#nextTable();
      case 'redis':
        return { settings: { type, url: await this.#nextRedis() }, remove: async () => undefined };
      case 'mongodb':
        return this.#nextMongodb();
    }
  }

  /** Of the server that was started for this type, if one was. */
  async version(type) {
    switch (type) {
      case 'postgres':
        return this.#databases.version();
      case 'redis':
        return this.#redis?.version;
      case 'mongodb':
        return this.#mongodb?.version;
      case 'dynamodb':
        return this.#dynamodb?.version;
    }
  }

  async stop() {
    await this.#databases.stop();
    await this.#redis?.stop?.();
    await this.#mongodb?.stop?.();
    await this.#dynamodb?.stop?.();
  }

  async #nextMongodb() {
    this.#mongodb ??= await this.#openMongodb();
    const { url } = this.#mongodb;
    const database = `recap-bench-${process.pid}-${this.#mongodbDatabases++}`;
    const remove = async () => {
      const client = new MongoClient(url);
      await client.db(database).dropDatabase();
      await client.close();
    };
    return { settings: { type: 'mongodb', url, database }, remove };
  }

  async #openMongodb() {
    const { MONGODB_URL: url } = process.env;
    if (!url) return this.#servers.mongodb.start();
    const client = new MongoClient(url);
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    await client.close();
    return { url, version };
  }

  /** A table of its own, which is not there yet. */
  async #nextTable() {
    this.#dynamodb ??= await this.#openDynamodb();
    if (this.#dynamodb.missing !== undefined) throw new Unavailable(`dynalite: ${this.#dynamodb.missing}`);
    const { server } = this.#dynamodb;
    const table = `recap-bench-${process.pid}-${this.#dynamodbTables++}`;
    const remove = async () => {
      const client = new DynamoDBClient(server);
      for (const TableName of [table, `${table}-raw`])
        await client.send(new DeleteTableCommand({ TableName })).catch((error) => {
          if (error.name !== 'ResourceNotFoundException') throw error;
        });
      client.destroy();
    };
    return { settings: { type: 'dynamodb', ...server, table, createTable: true }, remove };
  }

  async #openDynamodb() {
    const { DYNAMODB_ENDPOINT: endpoint, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env;
    const local = { region: 'us-east-1', credentials: { accessKeyId: 'recap', secretAccessKey: 'recap' } };
    if (!endpoint) {
      const { url, version, missing, stop } = await this.#servers.dynamodb.start();
      return { server: { endpoint: url, ...local }, version: `by dynalite ${version}`, missing, stop };
    }
    const [, named] = /^dynamodb\.([a-z0-9-]+)\.amazonaws/.exec(new URL(endpoint).hostname) ?? [];
    const isKnown = AWS_ACCESS_KEY_ID !== undefined || AWS_PROFILE !== undefined || named !== undefined;
    const own = { region: named ?? AWS_REGION ?? local.region };
    return { server: { endpoint, ...(isKnown ? own : local) }, version: `at ${endpoint}` };
  }

  async #nextRedis() {
    this.#redis ??= await this.#servers.redis.start();
    if (this.#redis.missing !== undefined) throw new Unavailable(`Redis: ${this.#redis.missing}`);
    return `${this.#redis.url}/${this.#redisDatabases++}`;
  }
}
