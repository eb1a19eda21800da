import type { NewEntry } from '../../src/entries/entry-store';
import { BatchProcessor } from '../../src/recorder/batch-processor';

const entry = (id: string): NewEntry => ({ id, requestStoredBytes: 0, responseStoredBytes: 0 }) as NewEntry;

function processorWith(prepare: (id: string) => NewEntry): BatchProcessor<string> {
  return new BatchProcessor<string>({
    store: {
      open: () => Promise.resolve(),
      append: (entries) => Promise.resolve(entries.map(({ id }) => ({ entryId: id, sessionId: 's' }))),
    },
    prepare,
    idOf: (id) => id,
  });
}

describe('BatchProcessor', () => {
  it('counts nothing twice when a batch cannot be read to its end and is tried again', async () => {
    const processor = processorWith((id) => {
      if (id === 'bad') throw new Error('cannot be prepared');
      return entry(id);
    });
    function* broken(): Generator<string> {
      yield 'bad';
      throw new Error('cannot be read');
    }
    await expect(processor.process(1, broken, false)).rejects.toThrow('cannot be read');
    const outcome = await processor.process(1, () => ['bad', 'good'], false);
    expect(outcome).toMatchObject({ stored: 1, unprepared: 1, lost: [{ id: 'bad' }] });
  });

  it('asks for an item when the one before it is prepared', async () => {
    const steps: string[] = [];
    const processor = processorWith((id) => {
      steps.push(`prepare ${id}`);
      return entry(id);
    });
    function* items(): Generator<string> {
      for (const id of ['a', 'b']) {
        steps.push(`read ${id}`);
        yield id;
      }
    }
    await processor.process(1, items, false);
    expect(steps).toEqual(['read a', 'prepare a', 'read b', 'prepare b']);
  });
});
