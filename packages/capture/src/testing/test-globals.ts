/** The part of Jest's and Vitest's globals that the suite uses, so that it depends on neither. */
interface Matchers {
  readonly not: Matchers;
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toMatchObject(expected: object): void;
  toHaveLength(expected: number): void;
  toBeGreaterThan(expected: number): void;
  toBeLessThanOrEqual(expected: number): void;
}

interface TestGlobals {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (title: string, body: () => Promise<void>) => void;
  readonly beforeEach: (body: () => Promise<void>) => void;
  readonly afterEach: (body: () => Promise<void>) => void;
  readonly expect: (value: unknown) => Matchers;
}

/** Looked up when used: the builders beside the suite also serve programs that run no tests. */
export const testGlobals = (): TestGlobals => globalThis as unknown as TestGlobals;
