import { addressOf, nameOf } from '../../../src/backends/file/file-names';
import { createFileBackend } from '../../../src/backends/file/file-backend';
import { SimulatedFiles } from './simulated-files';
import { isWellFormed } from '../../../src/well-formed';
import fc from 'fast-check';
jest.setTimeout(60_000);

const steps = [
  '..',
  '.',
  '~',
  'etc',
  'CON',
  'nul',
  'PRN.txt',
  'aux.',
  'COM1',
  'lpt9.json',
  'a:stream',
  'x ',
  'recap.json',
];
const slashes = [
  '/',
  '\\',
  '%2f',
  '%2F',
  '%5c',
  '%252f',
  '\0',
  '..;/',
  '\u2215',
  '\uFF0F',
  '....//',
  'file:///',
];
const ends = [
  '',
  '/',
  '.json',
  '.json.tmp',
  '.tmp',
  '\0',
  '\0.json',
  '.',
  ' ',
  '@',
  '^a',
  '%00',
  '*',
  '|',
  '"',
  '\n',
  '\t',
  '\r',
  '\x7f',
  '\u2028',
  '\u202E',
];

/** Ids that lead out of a folder, or to something else than a file, where they are taken for paths. */
const hostile = [
  ...new Set(steps.flatMap((step) => slashes.map((slash) => `${slash}${step}${slash}${step}`))),
  ...slashes.flatMap((slash) => [
    `..${slash}..${slash}..${slash}outside`,
    `${slash}outside`,
    slash.repeat(4),
  ]),
  ...steps,
  ...ends.flatMap((end) => [`..${end}`, `a${end}`, `A${end}`, `CON${end}`, end === '' ? 'é' : end]),
  ...['e\u0301', 'ﬁ', 'İ', 'ß', 'SS', 'ss', 'K', 'k', '\u212A', '__proto__', 'constructor'],
].filter((id) => id !== '');

describe('hostile ids', () => {
  it('touch no file outside the folder, in more than 300 cases, and find what is theirs', async () => {
    const ids = [...new Set(hostile)];
    expect(ids.length).toBeGreaterThan(300);
    const files = new SimulatedFiles();
    const open = async () => {
      const backend = createFileBackend({ path: '/data/items', fileSystem: files, sweepIntervalMs: 0 });
      await backend.open();
      return backend;
    };
    const addresses = ids.flatMap((id) => [
      { partition: 'p', key: id },
      { partition: id, key: 'k' },
    ]);
    for (const value of ['first', 'second']) {
      const backend = await open();
      for (const address of addresses) await backend.set(address, [value, address.partition, address.key]);
      await backend.close();
    }
    const backend = await open();
    for (const address of addresses)
      expect((await backend.get(address))?.value).toEqual(['second', address.partition, address.key]);
    for (const { partition, key } of addresses)
      await backend.append({ partition, key: `${key} list` }, ['x']);
    for (const address of addresses) await backend.delete(address);
    await backend.close();
    // Parents are made sure of when the folder is made.
    const parents = new Set(['/', '/data', '/data/items']);
    const outside = [...files.paths].filter((path) => !parents.has(path) && !isWithin(path));
    expect(outside).toEqual([]);
    expect([...files.files().keys()].filter((path) => path.includes('backups'))).toEqual([]);
  });

  it('have names that no file system takes for one another, or for a device, and that lead back to them', () => {
    const names = new Map<string, string>();
    for (const id of new Set(hostile)) {
      const name = nameOf({ partition: 'p', key: id });
      const device = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
      expect(name).toMatch(/^[a-z0-9_^%@~-]{1,120}$/);
      expect(`${name}.json`).not.toMatch(device);
      const folded = name.normalize('NFKC').toLowerCase();
      expect([id, names.get(folded)]).toEqual([id, undefined]);
      names.set(folded, id);
      expect(addressOf(name)).toEqual({ partition: 'p', key: id });
    }
  });

  it('whatever they are, are told apart by their names', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(isWellFormed);
    const address = fc.record({ partition: text, key: text });
    fc.assert(
      fc.property(address, address, (one, other) => {
        const names = [nameOf(one), nameOf(other)];
        const isSame = one.partition === other.partition && one.key === other.key;
        expect(names[0] === names[1]).toBe(isSame);
        for (const name of names) expect(name.length).toBeLessThanOrEqual(120);
        const back = addressOf(names[0]!);
        expect([undefined, one.partition]).toContain(back?.partition);
        expect([undefined, one.key]).toContain(back?.key);
      }),
      { numRuns: 500 },
    );
  });
});

function isWithin(path: string): boolean {
  return (
    /^\/data\/items\/[a-z0-9_^%@~./-]+$/.test(path) && !path.split('/').some((part) => /^\.+$/.test(part))
  );
}
