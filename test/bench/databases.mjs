import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { Unavailable } from './recorders/unavailable.mjs';

/** The PostgreSQL that variants share, started when the first one needs it; each measurement has a database of its own. */
export class Databases {
  #servers;
  #started;

  /** @param {{ start: (settings?: object) => Promise<object> }} servers what starts a PostgreSQL */
  constructor(servers) {
    this.#servers = servers;
  }

  /** @returns {Promise<{ url: string, vacuum: () => Promise<void>, drop: () => Promise<void> }>} */
  async create() {
    // Like a server in production, and as `strict` demands.
    this.#started ??= this.#servers.start({ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' });
    const server = await this.#started;
    if (server.missing !== undefined) throw new Unavailable(`PostgreSQL: ${server.missing}`);
    const name = `recap_bench_${randomBytes(6).toString('hex')}`;
    await this.#run(server.url, `CREATE DATABASE ${name}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return {
      url: url.href,
      vacuum: () => this.#run(url.href, 'VACUUM (ANALYZE)'),
      drop: () => this.#run(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    };
  }

  /** Of the server, if one was started. */
  async version() {
    return (await this.#started)?.version;
  }

  async stop() {
    const server = await this.#started;
    await server?.stop?.();
  }

  async #run(connectionString, statement) {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
}
