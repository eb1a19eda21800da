import { createPostgresBackend } from '@recap/storage';
import type { FakeClock } from '@recap/storage/testing';
import { Pool } from 'pg';
import type { Engine } from '../describe-on';

const { RECAP_TEST_POSTGRES_URL: url } = process.env;
const schema = `storage_${process.pid}`;
const admin = new Pool({ connectionString: url ?? '', max: 1 });

const another = async (clock: FakeClock) => {
  const backend = createPostgresBackend({ url: url ?? '', schema, clock, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
};

export const postgres: Engine = {
  name: 'postgres',
  missing: url === undefined ? 'RECAP_TEST_POSTGRES_URL names no server' : undefined,
  open: async (clock) => {
    const backend = await another(clock);
    const tables = ['items', 'elements', 'dropped_lists'].map((table) => `${schema}.recap_${table}`);
    await admin.query(`TRUNCATE ${tables.join(', ')}`);
    return backend;
  },
  another,
  server: async () => {
    const { rows } = await admin.query<{ server_version: string }>('SHOW server_version');
    return `PostgreSQL ${rows[0]?.server_version}`;
  },
  end: async () => {
    await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await admin.end();
  },
};
