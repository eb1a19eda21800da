import { FakeClock } from '@recap/storage/testing';
import { createEndpointNormalizer } from '../../src/entries/endpoint-key';
import type { EntryStore, NewEntry } from '../../src/entries/entry-store';
import type { Principal } from '../../src/query/principal';
import type { RouterRecorder } from '../../src/router/router-recorder';
import type { RouterRequest } from '../../src/router/router-request';
import { createStorageRouter, type StorageRouterOptions } from '../../src/router/storage-router';
import { createMemoryEntryStore, newEntry } from '../../src/testing';

export const ANN: Principal = { ownerId: 'ann', isAdmin: false };
export const BOB: Principal = { ownerId: 'bob', isAdmin: false };
export const ADMIN: Principal = { ownerId: 'root', isAdmin: true };

export interface TestRecorder extends RouterRecorder {
  readonly clock: FakeClock;
  readonly errors: { error: unknown; where: string }[];
  isOpen: boolean;
  isTrouble: boolean;
  hasOwners: boolean;
}

/** A recorder for the router: an open store in memory on a fake clock. */
export async function newTestRecorder(options: { store?: EntryStore } = {}): Promise<TestRecorder> {
  const clock = new FakeClock();
  let next = 0;
  const store = options.store ?? createMemoryEntryStore({ clock, newId: () => `session-${(next += 1)}` });
  await store.open();
  const recorder: TestRecorder = {
    store,
    clock,
    errors: [],
    isOpen: true,
    isTrouble: false,
    hasOwners: true,
    normalizeEndpoint: createEndpointNormalizer(),
    isReady() {
      return recorder.isOpen;
    },
    knowsOwners() {
      return recorder.hasOwners;
    },
    isDegraded() {
      return recorder.isTrouble;
    },
    stats: () => ({ captured: 3, shedByReason: { queueFull: 1 } }),
    onError(error, where) {
      recorder.errors.push({ error, where });
    },
    flush: () => Promise.reject(new Error('reading must not flush')),
  };
  return recorder;
}

/** The same store with some of its calls replaced. */
export function storeWith(store: EntryStore, replaced: Partial<EntryStore>): EntryStore {
  return { ...store, ...replaced };
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly body: TestBody;
}

/** Any JSON, to look into freely. */
export interface TestBody {
  success: boolean;
  data: Record<string, unknown> & { items: Item[]; results: Item[]; warnings: Item[] };
  warnings: { code: string; severity: string; message: string; details: Record<string, unknown> }[];
  error: { code: string; message: string; details: Record<string, unknown> & { fields: Field[] } };
}
export type Item = Record<string, unknown> & { id: string; entries: Item[] };
export interface Field {
  field: string;
  message: string;
}

/** The neutral router with a principal given by hand. */
export function openRouter(
  recorder: RouterRecorder,
  options: Partial<StorageRouterOptions<Principal | null | undefined>> = {},
) {
  const router = createStorageRouter<Principal | null | undefined>({
    recorder,
    authenticate: (principal) => principal,
    newId: () => 'correlation-1',
    ...options,
  });
  async function send(
    principal: Principal | null | undefined,
    method: string,
    url: string,
    body?: unknown,
    headers: RouterRequest<unknown>['headers'] = { 'content-type': 'application/json' },
  ): Promise<TestAnswer> {
    const [path = '', query = ''] = url.split('?');
    const answer = await router.handle({
      method,
      path,
      query,
      headers,
      readBody: () => Promise.resolve(body),
      native: principal,
    });
    const text = answer.body.toString('utf8');
    return { status: answer.status, headers: answer.headers, text, body: JSON.parse(text) as TestBody };
  }
  return {
    send,
    get: (principal: Principal | null | undefined, url: string) => send(principal, 'GET', url),
    post: (principal: Principal | null | undefined, url: string, body: unknown) =>
      send(principal, 'POST', url, body),
  };
}

/** Stores entries, each in the session of its owner, `minute` minutes after the clock's start. */
export async function record(
  { store }: RouterRecorder,
  entries: readonly (Partial<NewEntry> & { readonly minute?: number })[],
): Promise<NewEntry[]> {
  const made = entries.map(({ minute = 0, ...overrides }) =>
    newEntry({ createdAt: Date.UTC(2026, 0, 1) + minute * 60_000, ...overrides }),
  );
  await store.append(made);
  return made;
}

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export const idsOf = (answer: TestAnswer): string[] => answer.body.data.items.map(({ id }) => id);
export const codesOf = (answer: TestAnswer): string[] => answer.body.warnings.map(({ code }) => code);
export const fieldsOf = (answer: TestAnswer): string[] =>
  answer.body.error.details.fields.map(({ field }) => field);
