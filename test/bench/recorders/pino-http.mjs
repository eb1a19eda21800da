import { once } from 'node:events';
import { join } from 'node:path';
import pino from 'pino';
import pinoHttp from 'pino-http';
import { countInFile } from './written-lines.mjs';

/** Its line as it comes, into a file, 4 KiB at a time, as its authors advise. */
export async function start({ folder }) {
  const path = join(folder, 'pino.log');
  const destination = pino.destination({ dest: path, sync: false, minLength: 4096 });
  return {
    before: [pinoHttp({}, destination)],
    finish: async () => {
      destination.end();
      await once(destination, 'close');
      return { stored: await countInFile(path) };
    },
  };
}
