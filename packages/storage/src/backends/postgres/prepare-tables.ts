import { errorCode, StorageError } from '../../errors';
import type { SqlDialect } from '../sql/sql-contract';
import type { PostgresClient, PostgresQueryConfig, PostgresResult } from './postgres-client';
import { postgresColumns, postgresDefinitions, postgresSchemaDefinition } from './postgres-schema';

export interface TablesOptions {
  readonly schema: string | undefined;
  readonly dialect: SqlDialect;
  readonly ask: (query: PostgresQueryConfig) => Promise<PostgresResult>;
  /** In one transaction. */
  readonly together: (work: (client: PostgresClient) => Promise<void>) => Promise<void>;
}

/** Of the database: not every one holds every text. With SQL_ASCII it takes the bytes as they come. */
const ENCODINGS: readonly unknown[] = ['UTF8', 'SQL_ASCII'];

/** What a connection is refused for: a setting that there is not, that cannot be read, or that only the server's start sets. */
const REFUSED_SETTINGS = new Set(['42704', '42601', '55P02']);
const NO_SCHEMA = '3F000';

/**
 * Makes the tables where they are missing.
 *
 * @returns whether the user may only read, by a setting; a standby, which may be promoted, is none of these
 * @throws {StorageError} `DATABASE_UNSUPPORTED`, `ACCESS_DENIED`, and `CONFIG_INVALID` for settings of the connection
 *   that the server refuses, or that lead to no schema
 */
export async function prepareTables(options: TablesOptions): Promise<{ readonly isReadOnly: boolean }> {
  const { schema, dialect, ask } = options;
  const { encoding, hasTables, isReadOnly } = await look(ask, schema).catch((error: unknown) => {
    throw REFUSED_SETTINGS.has(errorCode(error) ?? '') ? refusedSettings(error) : error;
  });
  if (!ENCODINGS.includes(encoding))
    throw new StorageError(
      'DATABASE_UNSUPPORTED',
      `The PostgreSQL database keeps its text as ${encoding}, which cannot hold every value. Make one with ENCODING 'UTF8'.`,
    );
  if (!hasTables && isReadOnly) throw readOnly();
  try {
    if (hasTables) await ask({ text: postgresColumns(dialect) });
    else await define(options);
  } catch (error) {
    if (schema === undefined && errorCode(error) === NO_SCHEMA) throw noSchema(error);
    // Later, a table that is not there may come back.
    if (errorCode(error)?.startsWith('42') !== true || errorCode(error) === '42501') throw error;
    throw new StorageError(
      'DATABASE_UNSUPPORTED',
      `PostgreSQL has other tables under Recap's names, or not all of Recap's. Give ${schema === undefined ? 'a' : 'another'} "schema". See the cause.`,
      { cause: error },
    );
  }
  return { isReadOnly };
}

/** @param cause the server's own error: without it, it was not asked */
export function readOnly(cause?: unknown): StorageError {
  return new StorageError(
    'ACCESS_DENIED',
    'PostgreSQL lets this user only read, by default_transaction_read_only. Set it to off for the user or the database.',
    { cause },
  );
}

function refusedSettings(cause: unknown): StorageError {
  return new StorageError(
    'CONFIG_INVALID',
    'PostgreSQL refuses a setting that connections bring. Correct "options", or those of the URL. See the cause.',
    { cause },
  );
}

function noSchema(cause: unknown): StorageError {
  return new StorageError(
    'CONFIG_INVALID',
    'PostgreSQL has no schema that the search_path of connections leads to. Give "schema", or correct the search_path.',
    { cause },
  );
}

interface Found {
  readonly encoding: string;
  readonly hasSchema: boolean;
  readonly hasTables: boolean;
  readonly isReadOnly: boolean;
}

async function look(ask: TablesOptions['ask'], schema: string | undefined): Promise<Found> {
  const { rows } = await ask({
    // Not to_regclass(), which may know from before that a schema is not there.
    text: `SELECT current_setting('server_encoding') AS encoding,
        EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1::name) AS "hasSchema",
        EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
          WHERE relname = 'recap_dropped_lists'
            AND nspname = ANY (CASE WHEN $1::text IS NULL THEN current_schemas(false) ELSE ARRAY[$1::name] END)
        ) AS "hasTables",
        current_setting('transaction_read_only') = 'on' AND NOT pg_is_in_recovery() AS "isReadOnly"`,
    values: [schema ?? null],
  });
  return rows[0] as unknown as Found;
}

function define({ schema, dialect, together }: TablesOptions): Promise<void> {
  return together(async (client) => {
    // What others commit meanwhile is to be seen, whatever the database's default is.
    await client.query({ text: 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED' });
    // Two that open at once would both find nothing, and one would fail.
    await client.query({ text: "SELECT pg_advisory_xact_lock(hashtext('recap_storage'))" });
    const { hasTables, hasSchema } = await look((query) => client.query(query), schema);
    if (hasTables) return;
    // IF NOT EXISTS wants the right to make a schema even where it is there.
    if (schema !== undefined && !hasSchema) await client.query({ text: postgresSchemaDefinition(schema) });
    for (const text of postgresDefinitions(schema, dialect)) await client.query({ text });
  });
}
