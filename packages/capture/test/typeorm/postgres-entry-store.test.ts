import { describeEntryStore } from '../../src/testing';
import { createTypeOrmEntryStore } from '../../src/typeorm';
import { createDatabase, describeOnPostgres, dropDatabase, onDatabase } from './postgres-server';

describeOnPostgres('PostgreSQL', () => {
  let url = '';

  beforeAll(async () => {
    url = await createDatabase();
  });

  afterAll(() => dropDatabase(url));

  describeEntryStore('PostgreSQL', async (clock) => {
    const store = createTypeOrmEntryStore({
      database: { type: 'postgres', url },
      clock,
      sessionMaxAgeMs: 24 * 3_600_000,
    });
    await store.open();
    await onDatabase(url, 'TRUNCATE recap_entries, recap_sessions, recap_gaps');
    return store;
  });
});
