import { MigrationExecutor, type DataSource, type QueryRunner } from 'typeorm';
import { AddDeliveryColumns1767312000000 } from './add-delivery-columns';
import { CreateGapTable1767398400000 } from './create-gap-table';
import { CreateRecapTables1767225600000 } from './create-recap-tables';

export const MIGRATIONS = [
  CreateRecapTables1767225600000,
  AddDeliveryColumns1767312000000,
  CreateGapTable1767398400000,
];
export const MIGRATIONS_TABLE = 'recap_migrations';

/**
 * Brings the schema up to date within the transaction that the caller holds, whose lock keeps every other
 * process out: TypeORM alone would let two processes that start at once both create the tables.
 */
export async function runMigrations(dataSource: DataSource, queryRunner: QueryRunner): Promise<void> {
  const executor = new MigrationExecutor(dataSource, queryRunner);
  executor.transaction = 'none';
  await executor.executePendingMigrations();
}
