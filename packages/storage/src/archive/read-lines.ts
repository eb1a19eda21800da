import { constants } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

const NEWLINE = 0x0a;

/** Ends a file whose lines cannot be read; the cause is the file system's or the decompressor's. */
export class UnreadableLine extends Error {}

/** The lines of a UTF-8 file, decompressed when its name ends with `.gz`, without holding more than one. */
export async function* readLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const content: Readable = isCompressed(path)
    ? // Its errors are met by whoever reads what comes out.
      pipeline(file, createGunzip(), () => undefined)
    : file;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      let from = 0;
      for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
        parts.push(chunk.subarray(from, to));
        yield decoder.decode(Buffer.concat(parts));
        parts = [];
        length = 0;
        from = to + 1;
      }
      parts.push(chunk.subarray(from));
      length += chunk.length - from;
      if (length > constants.MAX_STRING_LENGTH)
        throw new UnreadableLine('A line is longer than text can be.');
    }
  } finally {
    file.destroy();
  }
  if (length > 0) throw new UnreadableLine('The last line does not end.');
}

export function isCompressed(path: string): boolean {
  return path.toLowerCase().endsWith('.gz');
}
