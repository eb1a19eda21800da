import { createSqliteBackend } from '@recap/storage';

/*
 * Writes into a file until it is told to stop, or killed. Reports each write that was answered:
 * { key } of a value of its own, { length } of a list that all share, { count } of a counter that all share.
 */
const [path, name] = process.argv.slice(2);
const backend = createSqliteBackend({ path, sweepIntervalMs: 0 });
await backend.open();
let isStopping = false;
process.on('message', () => {
  isStopping = true;
});

async function setOwn(caller) {
  for (let index = 0; !isStopping; index += 1) {
    const key = `${name}-${caller}-${index}`;
    await backend.set({ partition: 'values', key }, { text: 'x'.repeat(1_000) });
    process.send({ key });
  }
}

async function appendShared() {
  for (let index = 0; !isStopping; index += 1) {
    const values = [`${name}-${index}`, `${name}-${index}`];
    const length = await backend.append({ partition: 'shared', key: 'list' }, values);
    process.send({ length });
  }
}

async function countShared() {
  const address = { partition: 'shared', key: 'counter' };
  while (!isStopping) {
    const found = await backend.get(address);
    const condition = found === undefined ? { ifAbsent: true } : { ifVersion: found.version };
    const count = (found?.value ?? 0) + 1;
    const version = await backend.set(address, count, condition).catch((error) => {
      if (error.code !== 'CONFLICT') throw error;
    });
    if (version !== undefined) process.send({ count });
  }
}

await Promise.all([
  ...Array.from({ length: 8 }, (_, caller) => setOwn(caller)),
  appendShared(),
  countShared(),
]);
await backend.close();
process.send({ isDone: true }, () => process.disconnect());
