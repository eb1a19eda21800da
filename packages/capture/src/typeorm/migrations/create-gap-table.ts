import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Column types that differ between databases. Text is compared by bytes; SQLite does so by itself. */
const TYPES = {
  sqlite: { text: 'text', bigint: 'integer' },
  postgres: { text: 'text COLLATE "C"', bigint: 'bigint' },
};

/** Times in which not all was kept. */
export class CreateGapTable1767398400000 implements MigrationInterface {
  readonly name = 'CreateGapTable1767398400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const { text, bigint } =
      TYPES[queryRunner.connection.options.type === 'postgres' ? 'postgres' : 'sqlite'];
    await queryRunner.query(
      `CREATE TABLE recap_gaps (
        id ${text} NOT NULL PRIMARY KEY,
        missing ${text} NOT NULL,
        started_at ${bigint} NOT NULL,
        ended_at ${bigint} NOT NULL,
        exchanges ${bigint} NOT NULL,
        reasons ${text} NOT NULL,
        expires_at ${bigint}
      )`,
    );
    await queryRunner.query('CREATE INDEX recap_gaps_by_time ON recap_gaps (started_at, id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE recap_gaps');
  }
}
