import { FakeClock } from '@recap/storage/testing';
import type { EntryStore } from '../entries/entry-store';
import { describeAppending } from './suite-appending';
import type { SuiteContext } from './suite-context';
import { describeDeleting } from './suite-deleting';
import { describeFilters } from './suite-filters';
import { describeFinding } from './suite-finding';
import { describeGaps } from './suite-gaps';
import { describeLifecycle } from './suite-lifecycle';
import { describeSessions } from './suite-sessions';
import { testGlobals } from './test-globals';

/**
 * The conformance suite of `EntryStore`, for Jest, or Vitest with `globals: true`. Run it against every
 * implementation.
 *
 * @param open an open, empty store that takes its time from `clock`, with sessions of at most 24 h; called for each test
 * @example
 * describeEntryStore('my store', async (clock) => {
 *   const store = createMyStore({ clock });
 *   await store.open();
 *   return store;
 * });
 */
export function describeEntryStore(name: string, open: (clock: FakeClock) => Promise<EntryStore>): void {
  const { describe, beforeEach, afterEach } = testGlobals();

  describe(`${name} as an entry store`, () => {
    let clock: FakeClock | undefined;
    let store: EntryStore | undefined;
    const context: SuiteContext = { store: () => given(store), clock: () => given(clock) };

    beforeEach(async () => {
      clock = new FakeClock();
      store = await open(clock);
    });

    afterEach(async () => {
      await store?.close();
      store = undefined;
    });

    describeLifecycle(context);
    describeAppending(context);
    describeFinding(context);
    describeFilters(context);
    describeSessions(context);
    describeDeleting(context);
    describeGaps(context);
  });
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The suite opens its store before each test.');
  return value;
}
