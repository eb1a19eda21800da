import { createMemoryEntryStore, describeEntryStore } from '../../src/testing';

describeEntryStore('the store in memory', async (clock) => {
  const store = createMemoryEntryStore({ clock });
  await store.open();
  return store;
});

describe('createMemoryEntryStore', () => {
  it('refuses calls before it is open', async () => {
    await expect(createMemoryEntryStore().ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
