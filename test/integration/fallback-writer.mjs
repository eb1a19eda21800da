import { createStorageBackends } from '@recap/storage';

/*
 * A process of a program whose server is away: writes into the fallback's file, and reports what came of it:
 * { written, pendingWrites } after each write that was answered, { code, warnings } when it could not begin.
 */
const [path, name, count] = process.argv.slice(2);
const warnings = [];
const config = {
  database: {
    ...{ type: 'redis', host: '127.0.0.1', port: 1, retry: false, circuitBreaker: false },
    fallback: { to: [{ type: 'sqlite', path }] },
  },
};
try {
  const { manager, backends } = await createStorageBackends(config, {
    logger: { warn: (_details, message) => warnings.push(message) },
  });
  for (let written = 1; written <= Number(count); written += 1) {
    await backends.database.append('list', `${name}${written}`);
    const { details } = await manager.healthCheck();
    process.send({ written, pendingWrites: details.database.pendingWrites });
  }
  process.on('message', async () => {
    await manager.disconnect();
    process.disconnect();
  });
} catch (error) {
  process.send({ code: error.code, warnings });
  process.disconnect();
}
