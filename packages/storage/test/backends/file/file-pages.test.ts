import { createFileBackend } from '../../../src/backends/file/file-backend';
import { SimulatedFiles } from './simulated-files';

const MIB = 2 ** 20;
const keys = ['a', 'b', 'c', 'd', 'e'];

describe.each(['in memory still', 'in files'])('a page of large values that are %s', (place) => {
  it.each(['scan', 'query'] as const)(
    'of a %s stops early, and the next one goes on there',
    async (method) => {
      const fileSystem = new SimulatedFiles();
      const options = { path: '/data', fileSystem, shardCount: 1, sweepIntervalMs: 0 };
      let backend = createFileBackend(options);
      await backend.open();
      for (const key of keys) await backend.set({ partition: 'p', key }, { text: 'x'.repeat(3 * MIB) });
      if (place === 'in files') {
        await backend.close();
        backend = createFileBackend(options);
        await backend.open();
      }
      const pages: string[][] = [];
      let after: string | undefined;
      do {
        const from = { limit: 100, ...(after !== undefined && { after }) };
        const page = await (method === 'scan' ? backend.scan('p', from) : backend.query('p', [], from));
        pages.push(page.items.map(({ key }) => key));
        after = page.next;
      } while (after !== undefined);
      expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
      expect((await backend.keys('p')).items).toEqual(keys);
      await backend.close();
    },
  );
});
