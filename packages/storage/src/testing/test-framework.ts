/** The part of Jest, Vitest, Mocha and node:test that the suites use; what they assert, they assert themselves. */
export interface TestFramework {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: It;
  readonly beforeEach: (body: () => Promise<void>) => void;
  readonly afterEach: (body: () => Promise<void>) => void;
}

/** `skip`, where there is one, is given the tests that cannot be run. */
export interface It {
  (title: string, body: (...context: unknown[]) => Promise<void>): void;
  readonly skip?: (title: string, body: () => Promise<void>) => void;
}

/**
 * Skips a test that has begun, where its runner can: those of node:test and Vitest hand each test a context for it.
 * `context` has to be a rest parameter: to Jest, a test with any other waits for a callback.
 */
export function skipFromWithin([runner]: readonly unknown[]): void {
  (runner as { skip?: () => void } | undefined)?.skip?.();
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
