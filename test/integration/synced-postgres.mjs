// A PostgreSQL that syncs what it commits. It sends { url } or { missing }, and ends with whoever started it.
import { start } from '../../scripts/servers/postgres.mjs';

const server = await start({ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' });
process.send({ url: server.url, missing: server.missing });
process.on('disconnect', async () => {
  await server.stop?.();
  process.exit();
});
