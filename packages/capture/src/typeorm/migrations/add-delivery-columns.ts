import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Column types that differ between databases. Text is compared by bytes; SQLite does so by itself. */
const TYPES = {
  sqlite: { text: 'text', bigint: 'integer', real: 'real' },
  postgres: { text: 'text COLLATE "C"', bigint: 'bigint', real: 'double precision' },
};

const BODIES = ['request_body', 'response_body'];

/** How an answer went out. Entries of before have none of it. */
export class AddDeliveryColumns1767312000000 implements MigrationInterface {
  readonly name = 'AddDeliveryColumns1767312000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const isSqlite = queryRunner.connection.options.type !== 'postgres';
    const { text, bigint, real } = TYPES[isSqlite ? 'sqlite' : 'postgres'];
    const columns = [
      `closed_by ${text}`,
      `offered_bytes ${bigint}`,
      `sent_bytes ${bigint}`,
      `first_byte_ms ${real}`,
      `chunks ${bigint}`,
      `longest_gap_ms ${real}`,
    ];
    // SQLite reads what stands before the bodies without their pages, and adds columns at the end. Rebuilding a table
    // that holds something would take as long as it is large, so only an empty one gets the better order.
    const bodies = isSqlite && (await isEmpty(queryRunner)) ? BODIES : [];
    for (const body of bodies) await queryRunner.query(`ALTER TABLE recap_entries DROP COLUMN ${body}`);
    const added = [...columns, ...bodies.map((body) => `${body} blob`)];
    for (const column of added) await queryRunner.query(`ALTER TABLE recap_entries ADD COLUMN ${column}`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const names = ['closed_by', 'offered_bytes', 'sent_bytes', 'first_byte_ms', 'chunks', 'longest_gap_ms'];
    for (const name of names) await queryRunner.query(`ALTER TABLE recap_entries DROP COLUMN ${name}`);
  }
}

async function isEmpty(queryRunner: QueryRunner): Promise<boolean> {
  const rows = (await queryRunner.query('SELECT 1 FROM recap_entries LIMIT 1')) as unknown[];
  return rows.length === 0;
}
