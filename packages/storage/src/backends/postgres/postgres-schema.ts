import type { SqlDialect } from '../sql/sql-contract';
import { KIND } from '../sql/sql-statements';
import { fitsJsonb } from './jsonb-fit';

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export function postgresDialect(schema: string | undefined): SqlDialect {
  const prefix = schema === undefined ? '' : `${quote(schema)}.`;
  return {
    table: (name) => `${prefix}recap_${name}`,
    json: (parameter) => `CAST(${parameter} AS jsonb)`,
    jsonText: (column) => `CAST(${column} AS text)`,
    lacks: (text, part) => `strpos(${text}, ${part}) = 0`,
    holds: fitsJsonb,
    skipLocked: 'FOR UPDATE SKIP LOCKED',
  };
}

export const postgresSchemaDefinition = (schema: string): string =>
  `CREATE SCHEMA IF NOT EXISTS ${quote(schema)}`;

/** In one transaction, the last of them last, so that its being there means that all are. */
export function postgresDefinitions(schema: string | undefined, { table }: SqlDialect): readonly string[] {
  const [items, elements, dropped] = [table('items'), table('elements'), table('dropped_lists')];
  const note = `${schema === undefined ? '' : `${quote(schema)}.`}recap_note_dropped_list`;
  return [
    `CREATE TABLE ${items} (
      partition bytea NOT NULL,
      key bytea NOT NULL,
      kind smallint NOT NULL,
      json jsonb,
      bytes bytea,
      version text NOT NULL,
      expires_at bigint,
      list text,
      length bigint NOT NULL,
      recent text NOT NULL,
      PRIMARY KEY (partition, key))`,
    `CREATE INDEX recap_items_expires_at ON ${items} (expires_at) WHERE expires_at IS NOT NULL`,
    `CREATE INDEX recap_items_json ON ${items} USING gin (json jsonb_path_ops)`,
    `CREATE INDEX recap_items_json_as_bytes ON ${items} (partition, key) WHERE kind = ${KIND.jsonAsBytes}`,
    `CREATE TABLE ${elements} (
      list text COLLATE "C" NOT NULL,
      position bigint NOT NULL,
      kind smallint NOT NULL,
      json jsonb,
      bytes bytea,
      PRIMARY KEY (list, position))`,
    `CREATE FUNCTION ${note}() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO ${dropped} (list) VALUES (OLD.list); RETURN NULL; END $$`,
    `CREATE TRIGGER recap_item_deleted AFTER DELETE ON ${items} FOR EACH ROW
      WHEN (OLD.list IS NOT NULL) EXECUTE FUNCTION ${note}()`,
    `CREATE TRIGGER recap_item_replaced AFTER UPDATE ON ${items} FOR EACH ROW
      WHEN (OLD.list IS NOT NULL AND OLD.list IS DISTINCT FROM NEW.list) EXECUTE FUNCTION ${note}()`,
    `CREATE TABLE ${dropped} (list text COLLATE "C" PRIMARY KEY)`,
  ];
}

/** Asks for all columns, and for no row. */
export const postgresColumns = ({ table }: SqlDialect): string =>
  `SELECT items.partition, items.key, items.kind, items.json, items.bytes, items.version, items.expires_at, items.list,
      items.length, items.recent, elements.list, elements.position, elements.kind, elements.json, elements.bytes, dropped.list
    FROM ${table('items')} AS items, ${table('elements')} AS elements, ${table('dropped_lists')} AS dropped LIMIT 0`;
