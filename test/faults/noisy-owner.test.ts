import { sqliteDatabase, Sqlite } from './rig/databases';
import { report } from './rig/figures';
import { newFolders } from './rig/folders';
import { startHost } from './rig/start-host';

const newFolder = newFolders();
const EXCHANGES = 2_000;
const OTHERS = 19;

/** Nineteen of twenty are of one owner. */
const ownerOf = (index: number): string => (index % 20 === 0 ? `other-${(index / 20) % OTHERS}` : 'noisy');

it('sheds nothing of others while one owner sends 95 % of more than can be stored', async () => {
  const database = sqliteDatabase(newFolder());
  const host = await startHost({
    database: database.target,
    options: { spool: false, maxQueuedExchanges: 1_000, overload: {} },
    log: database.log,
  });
  await host.tell('ready');
  const other = new Sqlite(database.path);
  other.exec('BEGIN IMMEDIATE');
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < EXCHANGES) {
      const index = (next += 1);
      const answer = await fetch(`http://127.0.0.1:${host.port}/echo/${index}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-owner': ownerOf(index) },
        body: JSON.stringify({ index }),
      });
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  const full = await host.tell('stats');
  other.exec('ROLLBACK');
  other.close();
  await host.tell('flush');
  await host.end();
  const reader = new Sqlite(database.path, { readonly: true });
  const rows = reader.prepare('SELECT owner, response_state AS state FROM recap_entries').all() as {
    owner: string;
    state: string;
  }[];
  reader.close();
  const ofOthers = rows.filter(({ owner }) => owner !== 'noisy');
  report('one owner with 95 % of the traffic', {
    'stored of others': ofOthers.length,
    'stored of the noisy one': rows.length - ofOthers.length,
    shed: EXCHANGES - rows.length,
  });
  expect(Object.keys(full.shed)).toEqual(['noisy_owner']);
  expect(full.shed['noisy_owner']).toBe(EXCHANGES - rows.length);
  expect(ofOthers).toHaveLength(EXCHANGES / 20);
  expect(ofOthers.filter(({ state }) => state !== 'captured')).toEqual([]);
});
