import { createFileBackend } from '../../../src/backends/file/file-backend';
import type { Backend } from '../../../src/backend';
import type { OpenFile } from '../../../src/backends/file/file-system';
import { SimulatedFiles } from './simulated-files';

jest.setTimeout(120_000);

const at = (key: string) => ({ partition: 'p', key });
const MIB = 2 ** 20;
const large = 'x'.repeat(15 * MIB);

async function open(files: SimulatedFiles): Promise<Backend> {
  const backend = createFileBackend({ path: '/data', fileSystem: files, shardCount: 1, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
}

describe('a write that is too large for the journal', () => {
  it.each([
    ['append', (backend: Backend) => backend.append(at('l'), Array<string>(18).fill(large))],
    [
      'transact',
      (backend: Backend) =>
        backend.transact([
          { type: 'append', ...at('l'), values: Array<string>(18).fill(large) },
          { type: 'set', ...at('v'), value: 1 },
        ]),
    ],
  ])('is refused with VALUE_TOO_LARGE by %s and nothing of it is ever seen', async (_, write) => {
    const files = new SimulatedFiles();
    const backend = await open(files);
    await backend.append(at('l'), ['first']);
    await expect(write(backend)).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' });
    expect(await backend.length(at('l'))).toBe(1);
    await backend.set(at('other'), 1);
    expect(await backend.range(at('l'))).toEqual(['first']);
    expect(await backend.get(at('v'))).toBeUndefined();
    await backend.close();
    const again = await open(files);
    expect(await again.range(at('l'))).toEqual(['first']);
    await again.close();
  });
});

/** What is written is not kept, as it would be gigabytes. */
class EndlessFiles extends SimulatedFiles {
  override async open(path: string, flags: number): Promise<OpenFile> {
    const file = await super.open(path, flags);
    return { ...file, write: (_, _offset, length) => Promise.resolve({ bytesWritten: length }) };
  }
}

describe('many large writes at once', () => {
  it('all get through, and a small one among them', async () => {
    const backend = await open(new EndlessFiles());
    const keys = [...Array(36).keys()].map(String);
    const writes = keys.map((key) => backend.set(at(key), large));
    await Promise.all([...writes, backend.set(at('small'), 1)]);
    expect((await backend.stats()).items).toBe(37);
    await backend.close();
  });
});
