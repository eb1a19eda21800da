import { queueLimits } from '../../src/recorder/default-pipeline';
import { overloadSettings } from '../../src/recorder/overload-options';
import { checkRecorderOptions, type RecorderOptions } from '../../src/recorder/recorder-options';

const problemOf = (overload: unknown): string => {
  try {
    checkRecorderOptions({ overload } as RecorderOptions);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};

describe('the option overload', () => {
  it('takes what it names, and tells what is wrong with the rest', () => {
    expect(problemOf({})).toBe('none');
    expect(problemOf({ shed: 'oldest', bodiesUpTo: 0.5, headersUpTo: 0.5, maxLagMs: false })).toBe('none');
    expect(problemOf({ bodiesUpTo: 0.95 })).toContain('overload.headersUpTo: must be at least bodiesUpTo');
    expect(problemOf({ shed: 'random', maxLagMs: 1, bodiesUpTo: 2 })).toMatch(
      /overload\.shed.*overload\.bodiesUpTo.*overload\.maxLagMs/s,
    );
    expect(problemOf({ colour: 'red' })).toContain('colour');
  });

  it('looks at the event loop unless more than memory is asked to keep exchanges', () => {
    expect(overloadSettings()).toEqual({
      shed: 'stepwise',
      bodiesUpTo: 0.75,
      headersUpTo: 0.9,
      maxLagMs: 500,
    });
    for (const durability of ['spooled', 'strict']) {
      expect(overloadSettings({}, durability).maxLagMs).toBe(false);
      expect(overloadSettings({ maxLagMs: 200 }, durability).maxLagMs).toBe(200);
    }
  });

  it('cuts a small queue into small batches where the oldest one is shed', () => {
    const sizes = (options: RecorderOptions): number => queueLimits(options, 500).batchSize;
    expect(sizes({ overload: { shed: 'oldest' } })).toBe(500);
    expect(sizes({ overload: { shed: 'oldest' }, maxQueuedExchanges: 100 })).toBe(5);
    expect(sizes({ overload: { shed: 'oldest' }, maxQueuedExchanges: 1 })).toBe(1);
    expect(sizes({ maxQueuedExchanges: 100 })).toBe(500);
  });
});
