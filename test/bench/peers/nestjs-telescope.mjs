import { join } from 'node:path';
import { SqliteStorageProvider, TelescopeModule, TelescopeService } from '@dudousxd/nestjs-telescope';

/**
 * Into an SQLite file, with its own settings, but for the protection that stops recording at an event loop's delay of 200 ms: it
 * would keep the cost out of the table, and the exchanges too.
 */
export async function start({ folder }) {
  const storage = new SqliteStorageProvider({ path: join(folder, 'telescope.db') });
  let service;
  return {
    imports: [TelescopeModule.forRoot({ storage, overloadProtection: false })],
    afterStart: (app) => (service = app.get(TelescopeService, { strict: false })),
    settle: () => service.flush(),
    finish: async () => {
      await service.flush();
      const { count } = storage.db
        .prepare("SELECT count(*) AS count FROM telescope_entries WHERE type = 'request'")
        .get();
      return { stored: count };
    },
  };
}
