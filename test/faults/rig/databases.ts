import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { decodeBody, type StorageEntry } from '@recap/capture';
import { Client } from 'pg';
import { CANARY, type StoredExchange } from './check-ledger';

export interface SqliteConnection {
  exec(sql: string): void;
  prepare(sql: string): { all(): unknown[] };
  pragma(text: string): unknown;
  close(): void;
}
// The driver has no types of its own.
export const Sqlite = createRequire(__filename)('better-sqlite3') as new (
  path: string,
  options?: object,
) => SqliteConnection;

/** A database that a host records into, as somebody else sees it. */
export interface TestDatabase {
  readonly kind: 'sqlite' | 'postgres';
  /** For the recorder. */
  readonly target: object;
  /** All folders that it, its spool and the host's log are in. */
  readonly folders: readonly string[];
  readonly spool: object;
  readonly log: string;
  read(): Promise<StoredExchange[]>;
  /** Paths of what is stored. */
  paths(): Promise<string[]>;
  remove(): Promise<void>;
}

export function sqliteDatabase(folder: string): TestDatabase & { readonly path: string } {
  const path = join(folder, 'recap.db');
  const rows = (): Record<string, unknown>[] => {
    const database = new Sqlite(path, { readonly: true });
    try {
      return database.prepare('SELECT * FROM recap_entries').all() as Record<string, unknown>[];
    } finally {
      database.close();
    }
  };
  return {
    kind: 'sqlite',
    path,
    target: { type: 'sqlite', path },
    folders: [folder],
    spool: { minFreeDiskBytes: 0 },
    log: join(folder, 'host.log'),
    read: async () => rows().map(storedExchange),
    paths: async () => rows().map(({ path: stored }) => stored as string),
    remove: async () => undefined,
  };
}

let made = 0;

/** A database of its own on a server. */
export async function postgresDatabase(
  server: string,
  folder: string,
): Promise<TestDatabase & { readonly url: URL }> {
  const name = `faults_${process.pid}_${(made += 1)}`;
  const url = Object.assign(new URL(server), { pathname: `/${name}` });
  await onServer(server, (client) => client.query(`CREATE DATABASE ${name}`));
  const rows = () =>
    onServer(url.href, async (client) => {
      const { rows: found } = await client.query<Record<string, unknown>>('SELECT * FROM recap_entries');
      return found;
    });
  return {
    kind: 'postgres',
    url,
    target: { type: 'postgres', url: url.href },
    folders: [folder],
    spool: { path: join(folder, 'spool'), minFreeDiskBytes: 0 },
    log: join(folder, 'host.log'),
    read: async () => (await rows()).map(storedExchange),
    paths: async () => (await rows()).map(({ path }) => path as string),
    remove: () =>
      onServer(server, async (client) => {
        await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
      }),
  };
}

export async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A body as it is read from the columns of its row: of both sides, since they may be packed as one. */
export function bodyOf(row: Record<string, unknown>, side: 'request' | 'response'): unknown {
  const fields = ['Body', 'Codec', 'UnpackedBytes', 'State', 'ContentType'].flatMap((field) =>
    ['request', 'response'].map((name) => {
      const value = row[`${name}${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`];
      return [name + field, field === 'UnpackedBytes' ? Number(value) : value];
    }),
  );
  return decodeBody(Object.fromEntries(fields) as StorageEntry, side).data;
}

function storedExchange(row: Record<string, unknown>): StoredExchange {
  const request = bodyOf(row, 'request');
  const response = bodyOf(row, 'response');
  return {
    id: String(row['path']).split('/').at(-1) ?? '',
    requestDigest: digestOf(request),
    responseDigest: digestOf(response),
    text: JSON.stringify([row, request, response]),
  };
}

function digestOf(body: unknown): string | undefined {
  const { text } = (body ?? {}) as { text?: unknown };
  return typeof text === 'string' ? createHash('sha256').update(text).digest('hex') : undefined;
}

/** Files below that hold a secret in plain bytes: databases, their logs, spools, what the program printed. */
export async function leakingFiles(folders: readonly string[]): Promise<string[]> {
  const leaking: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      if ((await readFile(file)).includes(CANARY)) leaking.push(`${entry.name} in ${dirname(file)}`);
    }
  }
  return leaking;
}
