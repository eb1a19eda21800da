import type { EntryStore } from '../entries/entry-store';
import { newEntry } from './new-entry';
import type { SuiteContext } from './suite-context';
import { testGlobals } from './test-globals';

const CALLS: readonly (readonly [name: string, call: (store: EntryStore) => Promise<unknown>])[] = [
  ['open', (store) => store.open()],
  ['append', (store) => store.append([newEntry()])],
  ['append of nothing', (store) => store.append([])],
  ['find', (store) => store.find({ filter: {}, limit: 1, includeBodies: true })],
  ['find of nothing', (store) => store.find({ filter: { methods: [] }, limit: 0, includeBodies: true })],
  ['count', (store) => store.count({}, 1)],
  ['get', (store) => store.get('id', {})],
  ['findSessions', (store) => store.findSessions({ filter: {}, limit: 1 })],
  ['countSessions', (store) => store.countSessions({}, 1)],
  ['remove', (store) => store.remove(['id'], { force: true, isDryRun: false })],
  ['sweep', (store) => store.sweep(1)],
  ['evictOldest', (store) => store.evictOldest(0)],
  ['sizes', (store) => store.sizes()],
  ['ping', (store) => store.ping()],
  ['saveGaps of nothing', (store) => store.saveGaps([])],
  ['findGaps', (store) => store.findGaps({ range: {}, limit: 1 })],
  ['sumGaps', (store) => store.sumGaps({})],
  ['recentSessions', (store) => store.recentSessions(0, 1)],
];

export function describeLifecycle({ store }: SuiteContext): void {
  const { describe, it, expect } = testGlobals();

  describe('the life of a store', () => {
    it('may be opened again while it is open, and answers a ping', async () => {
      await Promise.all([store().open(), store().open()]);
      await store().ping();
      expect(await store().sizes()).toMatchObject({ entries: 0, entriesIsCapped: false });
    });

    it('may be closed twice, and at once', async () => {
      await Promise.all([store().close(), store().close()]);
      await store().close();
    });

    it('refuses every call once closed', async () => {
      await store().close();
      for (const [name, call] of CALLS) {
        const outcome = await call(store()).then(
          () => 'an answer',
          (error: unknown) => (error as { code?: unknown }).code,
        );
        expect({ name, outcome }).toEqual({ name, outcome: 'CLOSED' });
      }
    });

    it('ends what is being written before it closes', async () => {
      const writing = store().append(Array.from({ length: 120 }, () => newEntry()));
      await store().close();
      expect(await writing).toHaveLength(120);
    });
  });
}
