import { FakeClock } from '@recap/storage/testing';
import { createMemoryEntryStore, newEntry } from '../../src/testing';

describe('createMemoryEntryStore', () => {
  it('keeps what is appended and places it in a session', async () => {
    const store = createMemoryEntryStore({ clock: new FakeClock(), newId: () => 'session-1' });
    await store.open();
    const entry = newEntry({ id: 'e1', responseBody: Buffer.from('{}') });

    expect(await store.append([entry])).toEqual([{ entryId: 'e1', sessionId: 'session-1' }]);
    expect(await store.get('e1', {})).toMatchObject({
      sessionId: 'session-1',
      responseBody: entry.responseBody,
    });
  });
});
