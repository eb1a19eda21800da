import type { SqlDialect } from '../sql/sql-contract';

/** Of the tables; a database with a higher one was written by a newer release. */
export const LAYOUT = 1;

export const sqliteDialect: SqlDialect = {
  table: (name) => `recap_${name}`,
  json: (parameter) => parameter,
  jsonText: (column) => column,
  lacks: (text, part) => `instr(${text}, ${part}) = 0`,
  // The text is kept as it is, and what it escapes stays escaped.
  holds: () => true,
  skipLocked: '',
};

export const READ_LAYOUT = 'SELECT max(version) AS version FROM recap_layout';
export const HAS_LAYOUT = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'recap_layout'";

/** Rows have an id, since those of 1 KB and more would leave too few of them on a page of an index. */
export const SQLITE_DEFINITIONS = `
  CREATE TABLE recap_items (
    id INTEGER PRIMARY KEY,
    partition BLOB NOT NULL,
    key BLOB NOT NULL,
    kind INTEGER NOT NULL,
    json TEXT,
    bytes BLOB,
    version TEXT NOT NULL,
    expires_at INTEGER,
    list TEXT,
    length INTEGER NOT NULL,
    recent TEXT NOT NULL,
    UNIQUE (partition, key));
  CREATE INDEX recap_items_expires_at ON recap_items (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE recap_elements (
    list TEXT NOT NULL,
    position INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    json TEXT,
    bytes BLOB,
    PRIMARY KEY (list, position));
  CREATE TABLE recap_dropped_lists (list TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TRIGGER recap_item_deleted AFTER DELETE ON recap_items WHEN OLD.list IS NOT NULL
    BEGIN INSERT OR IGNORE INTO recap_dropped_lists (list) VALUES (OLD.list); END;
  CREATE TRIGGER recap_item_replaced AFTER UPDATE OF list ON recap_items
    WHEN OLD.list IS NOT NULL AND OLD.list IS NOT NEW.list
    BEGIN INSERT OR IGNORE INTO recap_dropped_lists (list) VALUES (OLD.list); END;
  CREATE TABLE recap_layout (version INTEGER NOT NULL);
  INSERT INTO recap_layout (version) VALUES (${LAYOUT});
`;
