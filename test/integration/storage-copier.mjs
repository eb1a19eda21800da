import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { copyStorage, createSqliteBackend } from '@recap/storage';

/*
 * Copies one SQLite file into another, keeps the token in a file, and kills itself at the n-th batch: before it, while
 * it is under way, or after it. Ends with 0 when there are not so many.
 */
const [, , folder, batches, when] = process.argv;
const open = async (name) => {
  const backend = createSqliteBackend({ path: `${folder}/${name}`, sweepIntervalMs: 0 });
  await backend.open();
  return backend;
};
const [from, to] = [await open('a.db'), await open('b.db')];
const { batch } = to;
let left = Number(batches);
const die = () => process.kill(process.pid, 'SIGKILL');
to.batch = async (writes) => {
  left -= 1;
  if (left === 0 && when === 'before') die();
  const writing = batch.call(to, writes);
  if (left === 0 && when === 'during') die();
  const outcomes = await writing;
  if (left === 0 && when === 'after') die();
  return outcomes;
};
const token = `${folder}/token`;
const result = await copyStorage(from, to, {
  ...(existsSync(token) ? { resumeFrom: readFileSync(token, 'utf8') } : { existing: 'onlyMissing' }),
  onProgress: (progress) => {
    if (progress.token !== undefined) writeFileSync(token, progress.token);
  },
});
await from.close();
await to.close();
console.log(JSON.stringify(result));
