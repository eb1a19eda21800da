import { constants } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errorCode } from '../errors';

const NEWLINE = 0x0a;
/** What every file of gzip begins with. */
const GZIP = Buffer.from([0x1f, 0x8b]);

/** Ends a file whose lines cannot be read; the message is what is wrong with it. */
export class UnreadableLine extends Error {}

/** The lines of a UTF-8 file, compressed by gzip or not, whatever its name, without holding more than one. */
export async function* readLines(path: string): AsyncGenerator<string> {
  const file = await open(path);
  try {
    yield* linesOf(await contentOf(file));
  } finally {
    await file.close();
  }
}

async function contentOf(file: FileHandle): Promise<Readable> {
  const first = Buffer.alloc(GZIP.length);
  const { bytesRead } = await file.read(first, 0, first.length, 0);
  const bytes = file.createReadStream({ start: 0, autoClose: false });
  if (bytesRead < first.length || !first.equals(GZIP)) return bytes;
  // Its errors are met by whoever reads what comes out.
  return pipeline(bytes, createGunzip(), () => undefined);
}

async function* linesOf(content: Readable): AsyncGenerator<string> {
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
        throw new UnreadableLine('has a line that is longer than text can be');
    }
  } catch (error) {
    throw unreadable(error);
  }
  if (length > 0) throw new UnreadableLine('is cut off');
}

function unreadable(error: unknown): unknown {
  const code = errorCode(error) ?? '';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return new UnreadableLine('is no text there', { cause: error });
  if (code === 'Z_BUF_ERROR') return new UnreadableLine('is cut off', { cause: error });
  if (code.startsWith('Z_'))
    return new UnreadableLine('cannot be decompressed any further', { cause: error });
  return error;
}
