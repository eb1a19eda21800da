import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import expressWinston from 'express-winston';
import winston from 'winston';
import { countInFile } from '../recorders/written-lines.mjs';

/** Both bodies on its lists of what is logged, as JSON, into a file. */
export async function start({ folder }) {
  const path = join(folder, 'winston.log');
  const stream = createWriteStream(path);
  const logger = expressWinston.logger({
    transports: [new winston.transports.Stream({ stream })],
    format: winston.format.json(),
    requestWhitelist: [...expressWinston.requestWhitelist, 'body'],
    responseWhitelist: [...expressWinston.responseWhitelist, 'body'],
  });
  return {
    before: [logger],
    finish: async () => {
      stream.end();
      await finished(stream);
      return { stored: await countInFile(path) };
    },
  };
}
