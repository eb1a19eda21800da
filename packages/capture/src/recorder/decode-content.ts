import * as zlib from 'node:zlib';
import { promisify } from 'node:util';

type Decoder = (bytes: Buffer, maxOutputLength: number) => Promise<Buffer>;

const runGunzip = promisify<Buffer, object, Buffer>(zlib.gunzip);
const runInflate = promisify<Buffer, object, Buffer>(zlib.inflate);
const runInflateRaw = promisify<Buffer, object, Buffer>(zlib.inflateRaw);
const runBrotli = promisify<Buffer, object, Buffer>(zlib.brotliDecompress);

// A body that was cut is decoded as far as it goes.
const zlibPrefix = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
const brotliPrefix = { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };

const gzip: Decoder = (bytes, maxOutputLength) => runGunzip(bytes, { ...zlibPrefix, maxOutputLength });
const deflate: Decoder = (bytes, maxOutputLength) => {
  // Servers send raw deflate under the same name; the zlib header tells (RFC 1950, section 2.2).
  const [first = 0, second = 0] = bytes;
  const hasHeader = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  return (hasHeader ? runInflate : runInflateRaw)(bytes, { ...zlibPrefix, maxOutputLength });
};
const brotli: Decoder = (bytes, maxOutputLength) => runBrotli(bytes, { ...brotliPrefix, maxOutputLength });

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip,
  'x-gzip': gzip,
  deflate,
  br: brotli,
  ...zstdOfThisNode(),
};

/** Node has it from 22.15 on. */
function zstdOfThisNode(): Readonly<Record<string, Decoder>> {
  const { zstdDecompress, constants } = zlib as {
    readonly zstdDecompress?: typeof zlib.brotliDecompress;
    readonly constants: Readonly<Record<string, number>>;
  };
  if (zstdDecompress === undefined) return {};
  const run = promisify<Buffer, object, Buffer>(zstdDecompress);
  const prefix = { finishFlush: constants['ZSTD_e_flush'] };
  return { zstd: (bytes, maxOutputLength) => run(bytes, { ...prefix, maxOutputLength }) };
}

/** Deeper nesting of codings than any server uses is an attack. */
const MAX_CODINGS = 3;

/** Content codings of a message, outermost last; `identity` left out. */
export function contentCodings(header: string | undefined): string[] {
  if (header === undefined) return [];
  return header
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
}

/**
 * Undoes content codings.
 *
 * @returns `undefined` when a coding is unknown, the bytes are not of it, or the result would be larger
 *   than `maxBytes`.
 */
export async function decodeContent(
  bytes: Buffer,
  codings: readonly string[],
  maxBytes: number,
): Promise<Buffer | undefined> {
  if (codings.length > MAX_CODINGS) return undefined;
  let decoded = bytes;
  for (const coding of [...codings].reverse()) {
    const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
    if (decode === undefined) return undefined;
    try {
      decoded = await decode(decoded, maxBytes);
    } catch {
      return undefined;
    }
  }
  return decoded;
}
