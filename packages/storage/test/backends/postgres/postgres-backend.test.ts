import { Pool } from 'pg';
import { createPostgresBackend } from '../../../src';
import { describeBackend, type FakeClock } from '../../../src/testing';

const url = process.env['RECAP_TEST_POSTGRES_URL'];
const schema = `storage_${process.pid}`;

(url === undefined ? describe.skip : describe)('on a server', () => {
  const pool = new Pool({ ...(url !== undefined && { connectionString: url }), max: 2 });
  const another = async (clock: FakeClock) => {
    const backend = createPostgresBackend({ url: url ?? '', schema, clock, sweepIntervalMs: 0 });
    await backend.open();
    return backend;
  };

  afterAll(async () => {
    await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await pool.end();
  });

  describeBackend(
    'postgres',
    async (clock) => {
      const backend = await another(clock);
      await pool.query(
        `TRUNCATE ${schema}.recap_items, ${schema}.recap_elements, ${schema}.recap_dropped_lists`,
      );
      return backend;
    },
    { another },
  );
});
