import { join } from 'node:path';
import Database from 'better-sqlite3';
import nestlens from 'nestlens';

/** Into an SQLite file, bodies up to 1 MiB (64 KiB by default), else with its own settings. */
export async function start({ folder }) {
  const { CollectorService, NestLensModule } = nestlens;
  const filename = join(folder, 'nestlens.db');
  let collector;
  return {
    imports: [
      NestLensModule.forRoot({
        storage: { driver: 'sqlite', sqlite: { filename } },
        watchers: { request: { maxBodySize: 1024 * 1024 } },
      }),
    ],
    afterStart: (app) => (collector = app.get(CollectorService, { strict: false })),
    settle: () => collector.flush(),
    finish: async () => {
      await collector.flush();
      const database = new Database(filename, { readonly: true });
      const { count } = database
        .prepare("SELECT count(*) AS count FROM nestlens_entries WHERE type = 'request'")
        .get();
      database.close();
      return { stored: count };
    },
  };
}
