import assert from 'node:assert/strict';
import type { Address, Backend, Capabilities, Page, ScanOptions } from '../backend';
import type { FakeClock } from './fake-clock';
import type { TestFramework } from './test-framework';

/** What each part of the suite works with: for every test an open, empty backend and the clock that it goes by. */
export interface SuiteContext extends TestFramework {
  readonly backend: () => Backend;
  readonly clock: () => FakeClock;
  /** Another instance on the same engine and data, or `undefined` where nothing outlives an instance. */
  readonly another: (() => Promise<Backend>) | undefined;
  /** A test of what not every engine can do: skipped where it cannot, or else the title says so. */
  readonly itCan: (
    what: Exclude<keyof Capabilities, 'maxValueBytes'>,
    title: string,
    body: () => Promise<void>,
  ) => void;
  /** A test of what outlives an instance: skipped where nothing does. */
  readonly itWithAnother: (title: string, body: (another: () => Promise<Backend>) => Promise<void>) => void;
}

export const at = (key: string, partition = 'p'): Address => ({ partition, key });

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** Keys that a language, UTF-16 or a pattern would order or take otherwise, by their bytes. */
export const IN_ORDER: readonly string[] = [
  ...['A', 'B', 'a', 'a%', 'a*', 'aB', 'a_', 'ab', 'b', 'z', 'é', '\uFFFF', '\u{1F600}'],
];

/** Writes these keys, the last one first, and one into another partition. */
export async function fillInOrder(backend: Backend): Promise<void> {
  for (const key of [...IN_ORDER].reverse()) await backend.set(at(key), key);
  await backend.set(at('elsewhere', 'other'), 1);
}

/** Asserts that it rejects with this code, whichever copy of the package made the error. */
export async function rejects(call: Promise<unknown>, code: string): Promise<Error> {
  const outcome: unknown = await call.then(
    (answer) => assert.fail(`It answered ${JSON.stringify(answer)} instead of rejecting with ${code}.`),
    (error: unknown) => error,
  );
  if (outcome instanceof assert.AssertionError) throw outcome;
  const { code: actual, message } = outcome as { code?: unknown; message?: unknown };
  assert.equal(actual, code, `It rejected with ${String(actual)} (${String(message)}), not with ${code}.`);
  return outcome as Error;
}

/** Of what has to succeed at last. Without an end, a loop whose calls answer at once never lets go of the thread. */
export const MOST_TRIES = 100;

/** Of any test, each of one item. */
const MOST_PAGES = 10_000;

/** Every item of every page, however long the pages are. */
export async function pages<T>(read: (after: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = [];
  let after: string | undefined;
  for (let count = 0; count < MOST_PAGES; count += 1) {
    const { items, next } = await read(after);
    found.push(...items);
    if (next === undefined) return found;
    assert.notEqual(next, after, 'The next page begins where this one began.');
    after = next;
  }
  return assert.fail(`There is still more after ${MOST_PAGES} pages.`);
}

/** What both ways to list keys agree on. */
export async function keysOf(
  backend: Backend,
  options: ScanOptions = {},
  partition = 'p',
): Promise<string[]> {
  const from = (after: string | undefined): ScanOptions => ({
    ...options,
    ...(after === undefined ? {} : { after }),
  });
  const items = await pages((after) => backend.scan(partition, from(after)));
  const found = items.map(({ key }) => key);
  const keys = await pages((after) => backend.keys(partition, from(after)));
  assert.deepEqual(keys, found, 'The keys are others than those of the items.');
  return found;
}

export async function valueOf(backend: Backend, key: string, partition = 'p'): Promise<unknown> {
  return (await backend.get(at(key, partition)))?.value;
}

/** Strings that have broken somebody's storage before. */
export const HOSTILE_KEYS: readonly string[] = [
  ':',
  'a:b:c',
  '%',
  '_',
  '*',
  '?',
  '[a-z]',
  '{tag}',
  '\\',
  '/',
  '..',
  '../../etc/passwd',
  "'; DROP TABLE recap_items; --",
  '"',
  '$1',
  '?1',
  ' ',
  ' a ',
  '\n',
  '\0',
  'a\0b',
  '__proto__',
  'constructor',
  'null',
  '0',
  '-1',
  'é',
  'e\u0301',
  '\u{1F600}',
  '\uFFFF',
  '\u{10FFFF}',
  'x'.repeat(1_024),
  '\u{1F600}'.repeat(256),
];
