import fc from 'fast-check';
import { createBackend, type Backend } from '../../src';
import { describeBackend, type FakeClock } from '../../src/testing';
import { brokenBackends, memoryDriver, withDriver } from './broken-backends';
import { runSuite, type SuiteResult } from './run-suite';

const run = (open: (clock: FakeClock) => Backend): Promise<SuiteResult> =>
  runSuite((framework) =>
    describeBackend(
      'tried',
      async (clock) => {
        const backend = open(clock);
        await backend.open();
        return backend;
      },
      { framework, modelRuns: 100 },
    ),
  );

const MODEL = 'whatever the order of commands a backend does what the model of the contract does';

/** What has nothing to do with the order of commands, or shows only with other keys than the model's. */
const BEYOND_THE_MODEL = [
  'counts what has expired',
  'sweeps more than it was asked to',
  'sweeps everything, and tells of what it was asked for',
  'tells one fewer than it swept',
  'sweeps nothing, and tells of as much as it was asked for',
  'counts to 100, and says that these are all',
  'cuts keys at 255 characters',
  'cuts partitions at 255 characters',
  'finds in the order of UTF-16',
  'cuts channels at 63 characters',
  'stores what JSON makes of it',
  'takes keys of the wrong size',
  'lists 150 partitions and no more',
  'cuts elements of lists at 128 KiB',
  'gives 5,000 elements of a list at most',
  'looks first and deletes later, where a version is named',
  'promises a page that is not there',
  'looks first and writes later, where nothing should be',
  'does not know its own write again',
  'answers many reads in an order of its own',
  'ends listed keys at NUL',
  'goes on with keys by their number instead of their place',
  'finds too little',
  'tells the last listener alone',
  'tells those who no longer listen',
  'answers after its end',
  'calls itself healthy whatever happens',
  'leaves behind what it tried its health with',
];

describe('describeBackend', () => {
  beforeAll(() => fc.configureGlobal({ seed: 20_261_121 }));
  afterAll(() => fc.resetConfigureGlobal());

  it('finds nothing wrong with a backend that is right', async () => {
    const { passed, failed } = await run((clock) =>
      createBackend(memoryDriver(), { clock, sweepIntervalMs: 0 }),
    );
    expect([...failed]).toEqual([]);
    expect(passed.length).toBeGreaterThan(200);
  });

  it.each(brokenBackends)('finds a backend that $defect', async ({ defect, open, foundBy }) => {
    const { failed } = await run(open);
    expect([...failed.keys()].join('\n')).toMatch(new RegExp(foundBy));
    expect(failed.has(MODEL)).toBe(!BEYOND_THE_MODEL.includes(defect));
  });

  it('tells of what it did not test as skipped', async () => {
    const { capabilities } = memoryDriver();
    const { failed, skipped } = await run(
      withDriver(() => ({ capabilities: { ...capabilities, transact: false } })),
    );
    expect([...failed.keys()]).toEqual([]);
    expect(skipped).toContain(
      'the life of a backend shares what is written with another instance (needs `another`)',
    );
    expect(skipped).toContain('transactions apply all writes of a partition (where it can transact)');
    expect(skipped.filter((title) => /where it can (?!transact)/.test(title))).toEqual([
      'messages reach another instance (where it can publish) (needs `another`)',
    ]);
  });

  it('asks for a test framework where there is none', () => {
    const { describe: kept } = globalThis;
    Reflect.deleteProperty(globalThis, 'describe');
    try {
      expect(() => describeBackend('x', async () => Promise.reject(new Error()))).toThrow('framework');
    } finally {
      globalThis.describe = kept;
    }
  });
});
