// Writes to a file backend without pause, and says of each write that was answered which it was; until it is killed.
import { writeSync } from 'node:fs';
// Without the rest of the package it starts in a third of the time.
import { createFileBackend } from '../../../packages/storage/dist/backends/file/file-backend.js';

const [, , path, round] = process.argv;
const tell = (text) => writeSync(1, `${text}\n`);
let backend;

const pause = () => new Promise((resolve) => setImmediate(resolve));

async function write(caller, first) {
  for (let count = first; count < first + 6; count += 1) {
    const key = `key ${caller} ${count % 5}`;
    // Some are larger than what a pipe or a page takes at once.
    const value = `${round} ${count} ${'x'.repeat(count % 7 === 0 ? 100_000 : 10)}`;
    tell(`begin ${key}=${value.slice(0, 30)}`);
    if (count % 11 === 10) {
      await backend.delete({ partition: 'p', key });
      tell(`done ${key}=`);
    } else {
      await backend.set({ partition: 'p', key }, value);
      tell(`done ${key}=${value.slice(0, 30)}`);
    }
    await backend.append({ partition: 'p', key: `list ${caller}` }, [`${round} ${count}`]);
    tell(`appended ${caller}=${round} ${count}`);
    await pause();
  }
}

for (let first = 0; ; first += 6) {
  backend = createFileBackend({ path, backupCount: 2, sweepIntervalMs: 0 });
  await backend.open();
  tell('open');
  await Promise.all([1, 2, 3, 4].map((caller) => write(caller, first)));
  // Brings everything to its file.
  tell('closing');
  await backend.close();
}
