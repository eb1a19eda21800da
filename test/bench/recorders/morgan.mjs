import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import morgan from 'morgan';
import { countInFile } from './written-lines.mjs';

/** Its line of the usual length, into a file. */
export async function start({ folder }) {
  const path = join(folder, 'morgan.log');
  const stream = createWriteStream(path);
  return {
    before: [morgan('combined', { stream })],
    finish: async () => {
      stream.end();
      await finished(stream);
      return { stored: await countInFile(path) };
    },
  };
}
