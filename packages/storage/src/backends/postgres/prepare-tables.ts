import { StorageError } from '../../errors';
import type { SqlDialect } from '../sql/sql-contract';
import type { PostgresClient, PostgresQueryConfig, PostgresResult } from './postgres-client';
import { postgresDefinitions, postgresSchemaDefinition } from './postgres-schema';

export interface TablesOptions {
  readonly schema: string | undefined;
  readonly dialect: SqlDialect;
  readonly ask: (query: PostgresQueryConfig) => Promise<PostgresResult>;
  /** In one transaction. */
  readonly together: (work: (client: PostgresClient) => Promise<void>) => Promise<void>;
}

/** Of the database: not every one holds every text. With SQL_ASCII it takes the bytes as they come. */
const ENCODINGS: readonly unknown[] = ['UTF8', 'SQL_ASCII'];

/**
 * Makes the tables where they are missing.
 *
 * @throws {StorageError} `DATABASE_UNSUPPORTED`
 */
export async function prepareTables({ schema, dialect, ask, together }: TablesOptions): Promise<void> {
  const look = {
    // Not to_regclass(), which may know from before that a schema is not there.
    text: `SELECT current_setting('server_encoding') AS encoding,
      EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relname = 'recap_dropped_lists'
          AND nspname = ANY (CASE WHEN $1::text IS NULL THEN current_schemas(false) ELSE ARRAY[$1::name] END)
      ) AS has_tables,
      EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1::name) AS has_schema`,
    values: [schema ?? null],
  };
  const { encoding, has_tables: hasTables } = (await ask(look)).rows[0]!;
  if (!ENCODINGS.includes(encoding))
    throw new StorageError(
      'DATABASE_UNSUPPORTED',
      `The PostgreSQL database keeps its text as ${String(encoding)}, which cannot hold every value. Make one with ENCODING 'UTF8'.`,
    );
  if (hasTables === true) return;
  await together(async (client) => {
    // Two that open at once would both find nothing, and one would fail.
    await client.query({ text: "SELECT pg_advisory_xact_lock(hashtext('recap_storage'))" });
    const { has_tables: hasMeanwhile, has_schema: hasSchema } = (await client.query(look)).rows[0]!;
    if (hasMeanwhile === true) return;
    // IF NOT EXISTS wants the right to make a schema even where it is there.
    if (schema !== undefined && hasSchema !== true)
      await client.query({ text: postgresSchemaDefinition(schema) });
    for (const text of postgresDefinitions(schema, dialect)) await client.query({ text });
  });
}
