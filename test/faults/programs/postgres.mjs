// A PostgreSQL that can be killed: `node postgres.mjs <module of scripts/servers>`. It sends { url, folder } or
// { missing }, and does what it is told by a message. It ends with whoever started it.
import { pathToFileURL } from 'node:url';

const { start } = await import(pathToFileURL(process.argv[2]));
// What it says was committed is on the disk; what has not ended is not.
const server = await start({
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  restart_after_crash: 'off',
});
process.send({ url: server.url, folder: server.folder, missing: server.missing });
process.on('disconnect', async () => {
  await server.stop?.();
  process.exit();
});
process.on('message', async (ask) => {
  if (ask === 'kill') server.kill();
  else await server.restart();
  process.send({ done: ask });
});
