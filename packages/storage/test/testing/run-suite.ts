import type { TestFramework } from '../../src/testing';

export interface SuiteResult {
  readonly passed: readonly string[];
  /** Title and message of each that failed. */
  readonly failed: ReadonlyMap<string, string>;
  readonly skipped: readonly string[];
}

type Body = (context: { readonly skip: () => void }) => Promise<void>;

interface Scope {
  readonly before: (() => Promise<void>)[];
  readonly after: (() => Promise<void>)[];
}

/** Runs a suite by itself, inside of a test, and tells what failed. */
export async function runSuite(register: (framework: TestFramework) => void): Promise<SuiteResult> {
  const tests: { title: string; scopes: readonly Scope[]; body: Body }[] = [];
  const skipped: string[] = [];
  const open: { name: string; scope: Scope }[] = [];
  const fullTitle = (title: string): string => [...open.slice(1).map(({ name }) => name), title].join(' ');
  const innermost = (): Scope => open.at(-1)!.scope;
  register({
    describe: (name, body) => {
      open.push({ name, scope: { before: [], after: [] } });
      body();
      open.pop();
    },
    it: Object.assign(
      (title: string, body: Body) => {
        tests.push({ title: fullTitle(title), scopes: open.map(({ scope }) => scope), body });
      },
      { skip: (title: string) => void skipped.push(fullTitle(title)) },
    ),
    beforeEach: (body) => innermost().before.push(body),
    afterEach: (body) => innermost().after.push(body),
  });
  const passed: string[] = [];
  const failed = new Map<string, string>();
  for (const { title, scopes, body } of tests)
    try {
      for (const { before } of scopes) for (const step of before) await step();
      try {
        await withinLimit(() => body({ skip: () => void skipped.push(title) }));
      } finally {
        for (const { after } of [...scopes].reverse()) for (const step of after) await step();
      }
      if (!skipped.includes(title)) passed.push(title);
    } catch (error) {
      failed.set(title, String(error));
    }
  return { passed, failed, skipped };
}

/** A broken backend may leave a test waiting for what never comes. Nothing of memory takes that long. */
async function withinLimit(body: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It never ended.')), 2_000);
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}
