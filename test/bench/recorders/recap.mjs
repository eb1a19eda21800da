import { join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { createRecorder } from '@recap/capture';
import { Unavailable } from './unavailable.mjs';

/** Recap as its guide mounts it; `settings` are options of the recorder. */
export async function start({ framework, folder, settings, database, databaseUrl }) {
  const path = join(folder, 'recap.db');
  const recorder = create({
    database: database === 'postgres' ? { type: 'postgres', url: databaseUrl } : { type: 'sqlite', path },
    spool: { path: join(folder, 'spool') },
    ...settings,
  });
  await recorder.ready();
  const { storageMiddleware } = await import(
    framework === 'koa' ? '@recap/capture/koa' : '@recap/capture/express'
  );
  const wantsWorker = settings.worker !== false;
  return {
    before: [storageMiddleware({ recorder })],
    settle: () => recorder.flush(),
    finish: async () => {
      const { shed, worker } = recorder.stats();
      if (worker !== wantsWorker) throw new Error(`it ran ${worker ? 'with' : 'without'} a worker`);
      await recorder.close();
      // What is in the database, not what the recorder says of it.
      const counts = database === 'postgres' ? await countInPostgres(databaseUrl) : countInSqlite(path);
      return { ...counts, shed: Object.values(shed).reduce((sum, count) => sum + count, 0) };
    },
  };
}

function create(options) {
  try {
    return createRecorder(options);
  } catch (error) {
    if (options.durability === 'strict' && error.code === 'CONFIG_INVALID') {
      throw new Unavailable('this build knows no durability "strict"', { cause: error });
    }
    throw error;
  }
}

/** An exchange whose connection the load's end cut off may lack a body that never came. */
const COUNTS = `SELECT count(*) AS stored,
  count(CASE WHEN outcome = 'completed' AND (request_state NOT IN ('captured', 'empty')
    OR response_state NOT IN ('captured', 'empty')) THEN 1 END) AS "withoutBodies"
  FROM recap_entries`;

function countInSqlite(path) {
  const database = new Database(path, { readonly: true });
  const counts = database.prepare(COUNTS).get();
  database.close();
  return counts;
}

async function countInPostgres(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query(COUNTS);
  await client.end();
  return { stored: Number(rows[0].stored), withoutBodies: Number(rows[0].withoutBodies) };
}
