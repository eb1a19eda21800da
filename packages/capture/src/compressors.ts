import * as zlib from 'node:zlib';
import { promisify } from 'node:util';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError } from '@recap/storage';
import { Deflate } from 'pako';
import type { BodyCodec } from './entries/entry-record';
import { reusedDeflate } from './reused-deflate';

/** What compresses bodies: `fast` is brotli at its first level. */
export type CodecName = 'zlib' | 'pako' | 'fast' | 'zstd';

/** Compresses bodies. */
export interface Compressor {
  /** Marks what it made. */
  readonly mark: Exclude<BodyCodec, 'identity' | 'joined'>;
  /** Absent where only `packAside` keeps the thread free. */
  readonly pack?: (bytes: Buffer) => Buffer;
  /** For large bodies: in another thread, or in slices. */
  readonly packAside: (bytes: Buffer) => Promise<Buffer>;
}

/** Undoes a codec. @throws when the bytes are damaged, or unfold to more than `maxOutputLength` */
type Decompress = (bytes: Buffer, maxOutputLength: number) => Buffer;

const MIN_CHUNK_BYTES = 64;
const ZLIB_CHUNK_BYTES = 16_384;
const PAKO_SLICE_BYTES = 16 * 1024;
const CRC_BYTES = 4;
const SMALL_BYTES = 2 ** 13;

/** The part of Node's zlib that came with 22.15. */
interface Zstd {
  readonly zstdCompress?: typeof zlib.brotliCompress;
  readonly zstdCompressSync?: typeof zlib.brotliCompressSync;
  readonly zstdDecompressSync?: typeof zlib.brotliDecompressSync;
  readonly constants: Readonly<Record<string, number>>;
}
const { zstdCompress, zstdCompressSync, zstdDecompressSync, constants: zstdConstants } = zlib as Zstd;

/** zlib's own chunk of 16 KiB would be allocated for each body, and kept alive by what is left of it. */
function chunkSizeFor({ length }: Buffer): number {
  // Long bodies get smaller by more; a second chunk is made where one does not.
  const expected = length <= SMALL_BYTES ? length >> 1 : length >> 2;
  return Math.max(MIN_CHUNK_BYTES, Math.min(expected, ZLIB_CHUNK_BYTES));
}

const deflateInPool = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflate);
/** A hash no larger than is of use: clearing the usual one takes a third of the time for a body of 1 KiB. */
const QUICK = { level: zlib.constants.Z_BEST_SPEED, memLevel: 6 };
/** The window likewise. An answer that repeats its request does so at the distance of the request's length. */
const SMALL = { ...QUICK, windowBits: 13 };
/** Made when it is first used, in the thread that uses it. */
let deflateSmall: ReturnType<typeof reusedDeflate> | 'unknown' = 'unknown';
const viaZlib: Compressor = {
  mark: 'deflate',
  pack: (bytes) => {
    const chunkSize = chunkSizeFor(bytes);
    if (bytes.length > SMALL_BYTES) return zlib.deflateSync(bytes, { ...QUICK, chunkSize });
    if (deflateSmall === 'unknown') deflateSmall = reusedDeflate(SMALL, SMALL_BYTES);
    return deflateSmall?.(bytes) ?? zlib.deflateSync(bytes, { ...SMALL, chunkSize });
  },
  packAside: (bytes) => deflateInPool(bytes, { level: zlib.constants.Z_BEST_SPEED }),
};

const viaPako: Compressor = {
  mark: 'deflate',
  /** pako knows no threads: it works in slices, so that the host's requests get their turn between them. */
  packAside: async (bytes) => {
    const stream = new Deflate({ level: 1 });
    for (let start = 0; start < bytes.length; start += PAKO_SLICE_BYTES) {
      if (start > 0) await nextTurn();
      const end = start + PAKO_SLICE_BYTES;
      stream.push(bytes.subarray(start, end), end >= bytes.length);
    }
    return Buffer.from(stream.result as Uint8Array);
  },
};

const brotliInPool = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress);
const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
const viaBrotli: Compressor = {
  mark: 'br',
  pack: (bytes) =>
    withCrc(
      zlib.brotliCompressSync(bytes, {
        chunkSize: chunkSizeFor(bytes),
        params: {
          [BROTLI_PARAM_QUALITY]: 1,
          // Of no use beyond the body's own length, and each costs its memory.
          [BROTLI_PARAM_LGWIN]: 16,
          [BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
      bytes,
    ),
  packAside: async (bytes) => {
    const params = { [BROTLI_PARAM_QUALITY]: 1, [BROTLI_PARAM_SIZE_HINT]: bytes.length };
    return withCrc(await brotliInPool(bytes, { params }), bytes);
  },
};

function viaZstd(): Compressor {
  if (zstdCompress === undefined || zstdCompressSync === undefined) {
    throw new StorageError(
      'CONFIG_INVALID',
      `The codec "zstd" needs Node 22.15 or newer, and this is ${process.versions.node}. Use "zlib" or "fast".`,
    );
  }
  const inPool = promisify<Buffer, zlib.BrotliOptions, Buffer>(zstdCompress);
  const { ZSTD_c_compressionLevel = 100, ZSTD_c_checksumFlag = 201 } = zstdConstants;
  const params = { [ZSTD_c_compressionLevel]: 1, [ZSTD_c_checksumFlag]: 1 };
  return {
    mark: 'zstd',
    pack: (bytes) => zstdCompressSync(bytes, { chunkSize: chunkSizeFor(bytes), params }),
    packAside: (bytes) => inPool(bytes, { params }),
  };
}

/** @throws {StorageError} `CONFIG_INVALID` when this Node does not have it. */
export function compressorOf(codec: CodecName): Compressor {
  if (codec === 'zstd') return viaZstd();
  return { zlib: viaZlib, pako: viaPako, fast: viaBrotli }[codec];
}

const DECOMPRESSORS: Readonly<Partial<Record<string, Decompress>>> = {
  identity: (bytes) => bytes,
  deflate: (bytes, maxOutputLength) => zlib.inflateSync(bytes, { maxOutputLength }),
  br: (bytes, maxOutputLength) => {
    const end = bytes.length - CRC_BYTES;
    const unpacked = zlib.brotliDecompressSync(bytes.subarray(0, Math.max(end, 0)), { maxOutputLength });
    if (zlib.crc32(unpacked) !== bytes.readUInt32LE(end)) throw new RangeError('Stored body is damaged.');
    return unpacked;
  },
  ...(zstdDecompressSync && {
    zstd: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
  }),
};

/** What undoes a mark; `undefined` for one that this Node or this version of Recap does not know. */
export function decompressorOf(mark: string): Decompress | undefined {
  return Object.hasOwn(DECOMPRESSORS, mark) ? DECOMPRESSORS[mark] : undefined;
}

/** Brotli has no checksum of its own: a damaged body would be read as another one. */
function withCrc(packed: Buffer, original: Buffer): Buffer {
  const crc = Buffer.allocUnsafe(CRC_BYTES);
  crc.writeUInt32LE(zlib.crc32(original));
  return Buffer.concat([packed, crc]);
}
