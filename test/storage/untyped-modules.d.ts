declare module 'better-sqlite3' {
  import type { SqliteDatabase } from '@recap/storage';
  export default class Database {
    constructor(path: string);
    prepare: SqliteDatabase['prepare'];
    close(): void;
  }
}
