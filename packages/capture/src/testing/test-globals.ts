/** The part of Jest's and Vitest's globals that the suite uses, so that it depends on neither. */
interface Matchers {
  readonly not: Matchers;
  readonly rejects: Matchers;
  toBe(expected: unknown): Promise<void>;
  toEqual(expected: unknown): Promise<void>;
  toMatchObject(expected: object): Promise<void>;
  toHaveLength(expected: number): Promise<void>;
  toBeGreaterThan(expected: number): Promise<void>;
  toBeLessThanOrEqual(expected: number): Promise<void>;
}

interface TestGlobals {
  describe(name: string, body: () => void): void;
  it(title: string, body: () => Promise<void>): void;
  beforeEach(body: () => Promise<void>): void;
  afterEach(body: () => Promise<void>): void;
  expect(value: unknown): Matchers;
}

/** Looked up when used: the builders beside the suite also serve programs that run no tests. */
export const testGlobals = (): TestGlobals => globalThis as unknown as TestGlobals;
