import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Column types that differ between databases. Text is compared by bytes; SQLite does so by itself. */
const TYPES = {
  sqlite: { text: 'text', bytes: 'blob', bigint: 'integer', real: 'real' },
  postgres: { text: 'text COLLATE "C"', bytes: 'bytea', bigint: 'bigint', real: 'double precision' },
};

/**
 * Entries, sessions and their indexes. Each list order has one index that also holds `expires_at`, so
 * that counting need not visit the rows. Bodies come last: SQLite then reads a row's other columns
 * without its overflow pages.
 */
export class CreateRecapTables1767225600000 implements MigrationInterface {
  readonly name = 'CreateRecapTables1767225600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { text, bytes, bigint, real } =
      TYPES[queryRunner.connection.options.type === 'postgres' ? 'postgres' : 'sqlite'];
    const side = (name: string): string => `
      ${name}_headers ${text} NOT NULL,
      ${name}_content_type ${text},
      ${name}_original_bytes ${bigint},
      ${name}_stored_bytes ${bigint} NOT NULL,
      ${name}_unpacked_bytes ${bigint} NOT NULL,
      ${name}_codec ${text} NOT NULL,
      ${name}_state ${text} NOT NULL,
      ${name}_details ${text} NOT NULL,`;
    const statements = [
      `CREATE TABLE recap_entries (
        id ${text} NOT NULL PRIMARY KEY,
        parent_id ${text},
        type ${text} NOT NULL,
        method ${text},
        endpoint ${text},
        endpoint_key ${text},
        path ${text},
        query ${text},
        status integer,
        outcome ${text} NOT NULL,
        error_name ${text},
        error_message ${text},
        created_at ${bigint} NOT NULL,
        duration_ms ${real} NOT NULL,
        owner ${text} NOT NULL,
        session_id ${text} NOT NULL,
        client_address ${text},
        trace_id ${text},
        metadata ${text} NOT NULL,
        redacted ${text} NOT NULL,
        warnings ${text} NOT NULL,
        expires_at ${bigint},
        ${side('request')}
        ${side('response')}
        request_body ${bytes},
        response_body ${bytes}
      )`,
      `CREATE TABLE recap_sessions (
        id ${text} NOT NULL PRIMARY KEY,
        session_key ${text} NOT NULL,
        owner ${text} NOT NULL,
        session_group ${text},
        created_at ${bigint} NOT NULL,
        last_activity_at ${bigint} NOT NULL,
        timeout_ms ${bigint} NOT NULL
      )`,
      'CREATE INDEX recap_entries_by_time ON recap_entries (created_at, id, expires_at)',
      'CREATE INDEX recap_entries_by_owner ON recap_entries (owner, created_at, id, expires_at)',
      'CREATE INDEX recap_entries_by_endpoint ON recap_entries (endpoint_key, created_at, id, expires_at)',
      'CREATE INDEX recap_entries_by_session ON recap_entries (session_id, created_at, id, expires_at)',
      'CREATE INDEX recap_entries_by_trace ON recap_entries (trace_id, created_at, id) WHERE trace_id IS NOT NULL',
      'CREATE INDEX recap_entries_by_expiry ON recap_entries (expires_at) WHERE expires_at IS NOT NULL',
      'CREATE INDEX recap_sessions_by_key ON recap_sessions (session_key, last_activity_at)',
      'CREATE INDEX recap_sessions_by_time ON recap_sessions (last_activity_at, id)',
      'CREATE INDEX recap_sessions_by_owner ON recap_sessions (owner, last_activity_at, id)',
    ];
    for (const statement of statements) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE recap_entries');
    await queryRunner.query('DROP TABLE recap_sessions');
  }
}
