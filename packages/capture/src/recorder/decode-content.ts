import * as zlib from 'node:zlib';
import { promisify } from 'node:util';

/** One coding, undone in a pool of threads or at once. */
interface Decoder {
  readonly aside: (bytes: Buffer, maxOutputLength: number) => Promise<Buffer>;
  readonly now: (bytes: Buffer, maxOutputLength: number) => Buffer;
}

// A body that was cut is decoded as far as it goes.
const zlibPrefix = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
const brotliPrefix = { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH };

function decoder(
  aside: (bytes: Buffer, options: object) => Promise<Buffer>,
  now: (bytes: Buffer, options: object) => Buffer,
  prefix: object,
): Decoder {
  return {
    aside: (bytes, maxOutputLength) => aside(bytes, { ...prefix, maxOutputLength }),
    now: (bytes, maxOutputLength) => now(bytes, { ...prefix, maxOutputLength }),
  };
}

const gzip = decoder(promisify<Buffer, object, Buffer>(zlib.gunzip), zlib.gunzipSync, zlibPrefix);
const wrapped = decoder(promisify<Buffer, object, Buffer>(zlib.inflate), zlib.inflateSync, zlibPrefix);
const raw = decoder(promisify<Buffer, object, Buffer>(zlib.inflateRaw), zlib.inflateRawSync, zlibPrefix);
// Servers send raw deflate under the same name.
const deflate: Decoder = {
  aside: (bytes, maxOutputLength) => (hasZlibHeader(bytes) ? wrapped : raw).aside(bytes, maxOutputLength),
  now: (bytes, maxOutputLength) => (hasZlibHeader(bytes) ? wrapped : raw).now(bytes, maxOutputLength),
};
const brotli = decoder(
  promisify<Buffer, object, Buffer>(zlib.brotliDecompress),
  zlib.brotliDecompressSync,
  brotliPrefix,
);

/** @see RFC 1950, section 2.2 */
function hasZlibHeader([first = 0, second = 0]: Buffer): boolean {
  return (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
}

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip,
  'x-gzip': gzip,
  deflate,
  br: brotli,
  ...zstdOfThisNode(),
};

/** Node has it from 22.15 on. */
function zstdOfThisNode(): Readonly<Record<string, Decoder>> {
  const { zstdDecompress, zstdDecompressSync, constants } = zlib as {
    readonly zstdDecompress?: typeof zlib.brotliDecompress;
    readonly zstdDecompressSync?: typeof zlib.brotliDecompressSync;
    readonly constants: Readonly<Record<string, number>>;
  };
  if (zstdDecompress === undefined || zstdDecompressSync === undefined) return {};
  const prefix = { finishFlush: constants['ZSTD_e_flush'] };
  return { zstd: decoder(promisify<Buffer, object, Buffer>(zstdDecompress), zstdDecompressSync, prefix) };
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
  try {
    let decoded = bytes;
    for (const { aside } of decodersOf(codings)) decoded = await aside(decoded, maxBytes);
    return decoded;
  } catch {
    return undefined;
  }
}

/** The same at once, for a caller that cannot wait. */
export function decodeContentNow(
  bytes: Buffer,
  codings: readonly string[],
  maxBytes: number,
): Buffer | undefined {
  try {
    let decoded = bytes;
    for (const { now } of decodersOf(codings)) decoded = now(decoded, maxBytes);
    return decoded;
  } catch {
    return undefined;
  }
}

/** Outermost first. @throws when they cannot be undone */
function decodersOf(codings: readonly string[]): Decoder[] {
  if (codings.length > MAX_CODINGS) throw new RangeError('Too many content codings.');
  return [...codings].reverse().map((coding) => {
    const found = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
    if (found === undefined) throw new RangeError('An unknown content coding.');
    return found;
  });
}
