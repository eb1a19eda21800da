import type { Backend } from '../backend';
import { FakeClock } from './fake-clock';
import { describeBatches } from './suite-batches';
import { describeConditions } from './suite-conditions';
import type { SuiteContext } from './suite-context';
import { describeExpiry } from './suite-expiry';
import { describeKeyLists } from './suite-key-lists';
import { describeKeys } from './suite-keys';
import { describeLifecycle } from './suite-lifecycle';
import { describeLists } from './suite-lists';
import { describeMessages } from './suite-messages';
import { describeModel } from './suite-model';
import { describeQueries } from './suite-queries';
import { describeScans } from './suite-scans';
import { describeTransactions } from './suite-transactions';
import { describeValues } from './suite-values';
import { globalFramework, skipFromWithin, type TestFramework } from './test-framework';

export interface DescribeBackendOptions {
  /** Opens another instance on the data of the last one, which is open or closed: for an engine that outlives it. */
  readonly another?: (clock: FakeClock) => Promise<Backend>;
  /** How many random sequences of commands are tried: 50 unless given. */
  readonly modelRuns?: number;
  /** Of a test runner that puts `describe`, `it`, `beforeEach` and `afterEach` not among the globals. */
  readonly framework?: TestFramework;
}

/**
 * The conformance suite of a backend. Run it against every implementation. One of its tests needs the package `fast-check`.
 *
 * @param open resolves to an open, empty backend that takes its time from `clock` and sweeps only when told to;
 *   called before each test
 * @example
 * describeBackend('memory', async (clock) => {
 *   const backend = createMemoryBackend({ clock, sweepIntervalMs: 0 });
 *   await backend.open();
 *   return backend;
 * });
 */
export function describeBackend(
  name: string,
  open: (clock: FakeClock) => Promise<Backend>,
  { another, framework = globalFramework(), modelRuns = 50 }: DescribeBackendOptions = {},
): void {
  framework.describe(`${name} as a backend`, () => {
    let clock: FakeClock | undefined;
    let backend: Backend | undefined;
    const context: SuiteContext = {
      ...pick(framework),
      backend: () => given(backend),
      clock: () => given(clock),
      another: another && (() => another(given(clock))),
      itCan: (what, title, body) => {
        framework.it(`${title} (where it can ${what})`, async (...runner) => {
          if (given(backend).capabilities[what]) await body();
          else skipFromWithin(runner);
        });
      },
      itWithAnother: (title, body) => {
        if (another === undefined) framework.it.skip?.(`${title} (needs \`another\`)`, async () => undefined);
        else framework.it(title, () => body(() => another(given(clock))));
      },
    };

    framework.beforeEach(async () => {
      clock = new FakeClock();
      backend = await open(clock);
    });

    framework.afterEach(async () => {
      await backend?.close();
      backend = undefined;
    });

    describeLifecycle(context);
    describeValues(context);
    describeKeys(context);
    describeExpiry(context);
    describeConditions(context);
    describeScans(context);
    describeKeyLists(context);
    describeLists(context);
    describeBatches(context);
    describeTransactions(context);
    describeQueries(context);
    describeMessages(context);
    describeModel(context, modelRuns);
  });
}

function pick({ describe, it, beforeEach, afterEach }: TestFramework): TestFramework {
  return { describe, it, beforeEach, afterEach };
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The suite opens its backend before each test.');
  return value;
}
