import { createBackend, createStorageBackends } from '../../src';
import { MemoryDriver } from '../../src/backends/memory/memory-driver';

const limits = { maxItems: 1e6, maxBytes: 2 ** 26, maxValueBytes: 2 ** 18, whenFull: 'refuse' } as const;

/** Refuses its first write with this error. */
class RefusingDriver extends MemoryDriver {
  #error: Error | undefined;

  constructor(error: Error) {
    super(limits);
    this.#error = error;
  }

  override write(...given: Parameters<MemoryDriver['write']>): ReturnType<MemoryDriver['write']> {
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
    return super.write(...given);
  }
}

async function appendOn(error: Error): Promise<unknown> {
  const backend = createBackend(new RefusingDriver(error));
  const retry = { initialDelayMs: 1, maxDelayMs: 1 };
  const { manager, backends } = await createStorageBackends({ database: { type: 'custom', backend, retry } });
  try {
    return await backends.database.append('l', 1);
  } finally {
    await manager.disconnect();
  }
}

const NOT_DONE = Object.assign(new Error('Not connected.'), { code: 'NOT_DONE' });

describe("a write that a backend of one's own refuses", () => {
  it('is made again where it says by NOT_DONE that it was not made', async () => {
    expect(await appendOn(NOT_DONE)).toBe(1);
  });

  it('is made again where a cause says so', async () => {
    expect(await appendOn(new Error('Failed.', { cause: NOT_DONE }))).toBe(1);
  });

  it('is not made again where nothing says so', async () => {
    await expect(appendOn(new Error('Failed.'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
