/** The part of Jest, Vitest, Mocha and node:test that the suites use; what they assert, they assert themselves. */
export interface TestFramework {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (title: string, body: () => Promise<void>) => void;
  readonly beforeEach: (body: () => Promise<void>) => void;
  readonly afterEach: (body: () => Promise<void>) => void;
}

/** What a test runner has put among the globals. */
export function globalFramework(): TestFramework {
  const framework = globalThis as unknown as Partial<TestFramework>;
  if (framework.describe === undefined || framework.it === undefined)
    throw new Error(
      'No describe() and it() among the globals. Hand over those of your test runner as `framework`.',
    );
  return framework as TestFramework;
}
