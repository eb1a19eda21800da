import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import morganBody from 'morgan-body';
import { countInFile } from '../recorders/written-lines.mjs';

/** Whole bodies (1,000 characters by default), one line each, without colours, into a file. */
export async function start({ folder }) {
  const path = join(folder, 'morgan-body.log');
  const stream = createWriteStream(path);
  return {
    afterParser: (app) => {
      const options = { stream, noColors: true, prettify: false, includeNewLine: true };
      morganBody(app, { ...options, maxBodyLength: 1024 * 1024 });
    },
    finish: async () => {
      stream.end();
      await finished(stream);
      return { stored: await countInFile(path, 'Response Body:') };
    },
  };
}
