import { isUtf8 } from 'node:buffer';
import { isPromise } from 'node:util/types';
import { bodyKind, type BodyKind } from './body-kind';
import { listEvents, listLines, type MessageBody } from './body-messages';
import { compressorOf, decompressorOf, type CodecName } from './compressors';
import type { BodyCodec, EntryRecord } from './entries/entry-record';

/** Stored bytes and what a reader needs to unpack them. */
export interface PackedBody {
  readonly bytes: Buffer;
  readonly codec: BodyCodec;
  /** Length before packing: the bound for unpacking. */
  readonly unpackedBytes: number;
}

/**
 * Packs a body, or two as one. A body that would not become at least a tenth smaller is kept as it is; of two such the
 * result is `identity` without bytes.
 */
export type PackBody = (bytes: Buffer, next?: Buffer) => PackedBody | Promise<PackedBody>;

export interface PackOptions {
  readonly codec: CodecName;
  /** Bodies below this many bytes are not tried. */
  readonly thresholdBytes: number;
}

const KEPT_SHARE = 0.9;
/**
 * Up to here a body is packed at once: handing it to a thread and back costs the program's thread as
 * much as the work itself, and above it that would hold the event loop up for longer than a millisecond.
 */
const SYNC_LIMIT_BYTES = 64 * 1024;

/** Two bodies that are packed at once, one after the other: making room for them takes as long as half of packing them. */
const DRAFT = Buffer.allocUnsafeSlow(SYNC_LIMIT_BYTES);
const UNPACKED_TWO: PackedBody = { bytes: Buffer.alloc(0), codec: 'identity', unpackedBytes: 0 };

/** @throws {StorageError} `CONFIG_INVALID` for a codec that this Node does not have. */
export function createPacker({ codec, thresholdBytes }: PackOptions): PackBody {
  const { mark, pack, packAside } = compressorOf(codec);
  return (first, second) => {
    const unpackedBytes = first.length + (second?.length ?? 0);
    const asItIs = (): PackedBody =>
      second === undefined ? { bytes: first, codec: 'identity', unpackedBytes } : UNPACKED_TWO;
    const choose = (bytes: Buffer): PackedBody =>
      bytes.length <= unpackedBytes * KEPT_SHARE ? { bytes, codec: mark, unpackedBytes } : asItIs();
    if (unpackedBytes < thresholdBytes) return asItIs();
    if (pack !== undefined && unpackedBytes <= SYNC_LIMIT_BYTES) {
      return choose(pack(second === undefined ? first : drafted(first, second)));
    }
    const aside = second === undefined ? first : Buffer.concat([first, second], unpackedBytes);
    return packAside(aside).then(choose);
  };
}

function drafted(first: Buffer, second: Buffer): Buffer {
  DRAFT.set(first, 0);
  DRAFT.set(second, first.length);
  return DRAFT.subarray(0, first.length + second.length);
}

/** Two bodies that are packed as one are at most this large together. */
const JOINT_LIMIT_BYTES = SYNC_LIMIT_BYTES;

/** The packed fields of an entry. */
export type PackedFields = Pick<EntryRecord, `${'request' | 'response'}${'Body' | 'Codec' | 'StoredBytes'}`>;

/**
 * Packs the bodies of an entry whose bodies are not packed yet. A request and its response are packed as one: the
 * second says much that the first has said, and packing once costs less time than packing twice.
 */
export function packBodies(
  { requestBody, responseBody }: Pick<EntryRecord, 'requestBody' | 'responseBody'>,
  pack: PackBody,
): PackedFields | Promise<PackedFields> {
  const apart = (): PackedFields | Promise<PackedFields> => packApart(requestBody, responseBody, pack);
  if (requestBody === null || responseBody === null) return apart();
  const total = requestBody.length + responseBody.length;
  if (requestBody.length === 0 || responseBody.length === 0 || total > JOINT_LIMIT_BYTES) return apart();
  const joined = (packed: PackedBody): PackedFields | Promise<PackedFields> => {
    if (packed.codec === 'identity') return apart();
    const { length } = packed.bytes;
    const requestStoredBytes = Math.round((length * requestBody.length) / total);
    return {
      requestBody: packed.bytes,
      requestCodec: packed.codec,
      requestStoredBytes,
      responseBody: null,
      responseCodec: 'joined',
      responseStoredBytes: length - requestStoredBytes,
    };
  };
  const packed = pack(requestBody, responseBody);
  return isPromise(packed) ? packed.then(joined) : joined(packed);
}

function packApart(
  requestBody: Buffer | null,
  responseBody: Buffer | null,
  pack: PackBody,
): PackedFields | Promise<PackedFields> {
  const request = requestBody === null ? undefined : pack(requestBody);
  const response = responseBody === null ? undefined : pack(responseBody);
  if (!isPromise(request) && !isPromise(response)) return fieldsOf(request, response);
  return Promise.all([request, response]).then(([first, second]) => fieldsOf(first, second));
}

function fieldsOf(request: PackedBody | undefined, response: PackedBody | undefined): PackedFields {
  return {
    requestBody: request?.bytes ?? null,
    requestCodec: request?.codec ?? 'identity',
    requestStoredBytes: request?.bytes.length ?? 0,
    responseBody: response?.bytes ?? null,
    responseCodec: response?.codec ?? 'identity',
    responseStoredBytes: response?.bytes.length ?? 0,
  };
}

/**
 * The bytes as they were before packing.
 *
 * @throws when they are damaged: they do not unpack, or not to the length that was noted; and when nothing here
 *   knows the codec.
 */
export function unpackBody({ bytes, codec, unpackedBytes }: PackedBody): Buffer {
  const unpack = decompressorOf(codec);
  if (unpack === undefined)
    throw new RangeError(`Stored body is packed as "${codec}", which is unknown here.`);
  const unpacked = unpack(bytes, Math.max(unpackedBytes, 1));
  if (unpacked.length !== unpackedBytes) {
    throw new RangeError(`Stored body unpacks to ${unpacked.length} bytes instead of ${unpackedBytes}.`);
  }
  return unpacked;
}

export interface DecodedBody {
  /**
   * The value of a JSON body; of an event stream and of JSON lines a `MessageBody`; the text of another;
   * `{ encoding: 'base64', content }` for bytes that are not clean UTF-8 text; null when there is nothing to show.
   */
  readonly data: unknown;
  /**
   * Why `data` is not the whole body; absent when it is. `unsupported`: packed by a codec that this Node, or this
   * version of Recap, cannot undo.
   */
  readonly state?: 'truncated' | 'dropped' | 'corrupt' | 'unsupported' | 'not_captured';
}

type StoredBody = Pick<
  EntryRecord,
  | 'requestBody'
  | 'requestCodec'
  | 'requestUnpackedBytes'
  | 'requestState'
  | 'requestContentType'
  | 'responseBody'
  | 'responseCodec'
  | 'responseUnpackedBytes'
  | 'responseState'
  | 'responseContentType'
>;

/** Reads one side's body back from a stored entry. Never throws: what cannot be read is told by `state`. */
export function decodeBody(entry: StoredBody, side: 'request' | 'response'): DecodedBody {
  const isRequest = side === 'request';
  const state = isRequest ? entry.requestState : entry.responseState;
  const isJoined = entry.responseCodec === 'joined';
  const bytes = isRequest || isJoined ? entry.requestBody : entry.responseBody;
  if (state === 'dropped' || state === 'not_captured') return { data: null, state };
  if (state === 'empty') return { data: null };
  if (!(bytes instanceof Uint8Array)) {
    // A host's own query may have left the column out; of a response whose bytes are there, that must not pass for none.
    return isJoined && !isRequest ? { data: null, state: 'corrupt' } : { data: null };
  }
  const codec = isRequest || isJoined ? entry.requestCodec : entry.responseCodec;
  if (decompressorOf(codec) === undefined) return { data: null, state: 'unsupported' };
  let unpacked: Buffer;
  try {
    const { requestUnpackedBytes, responseUnpackedBytes } = entry;
    const unpackedBytes = isJoined
      ? requestUnpackedBytes + responseUnpackedBytes
      : isRequest
        ? requestUnpackedBytes
        : responseUnpackedBytes;
    const whole = unpackBody({ bytes, codec, unpackedBytes });
    if (!isJoined) unpacked = whole;
    else
      unpacked = isRequest ? whole.subarray(0, requestUnpackedBytes) : whole.subarray(requestUnpackedBytes);
  } catch {
    return { data: null, state: 'corrupt' };
  }
  const contentType = isRequest ? entry.requestContentType : entry.responseContentType;
  const data = present(unpacked, contentType, state === 'truncated');
  return state === 'truncated' ? { data, state } : { data };
}

function present(bytes: Buffer, contentType: string | null, isTruncated: boolean): unknown {
  const kind = bodyKind(contentType ?? undefined);
  if (kind === 'sse' || kind === 'ndjson') return presentMessages(bytes, kind, isTruncated);
  if (kind === 'binary' || kind === 'multipart') return asBase64(bytes);
  const text = cleanText(bytes, isTruncated);
  if (text === undefined) return asBase64(bytes);
  if (kind === 'json' || (kind === undefined && /^\s*[[{]/.test(text))) {
    try {
      // A byte order mark is no JSON, but its readers pass over it (RFC 8259, section 8.1).
      return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as unknown;
    } catch {
      // A prefix, or text that only claimed to be JSON and was kept as it came: shown as text.
      return text;
    }
  }
  return text;
}

function presentMessages(
  bytes: Buffer,
  kind: Extract<BodyKind, 'sse' | 'ndjson'>,
  isTruncated: boolean,
): MessageBody {
  const clean = cleanText(bytes, isTruncated);
  // Their receivers take what is no UTF-8 as U+FFFD.
  const text = clean ?? bytes.toString('utf8');
  return {
    ...(kind === 'sse' ? listEvents(text) : listLines(text, isTruncated)),
    ...(clean === undefined ? asBase64(bytes) : { encoding: 'utf8', content: clean }),
  };
}

function asBase64(bytes: Buffer): { encoding: 'base64'; content: string } {
  return { encoding: 'base64', content: bytes.toString('base64') };
}

/** The bytes as text; `undefined` when they are no UTF-8. What was cut within a character loses that one's part. */
function cleanText(bytes: Buffer, isTruncated: boolean): string | undefined {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  if (!isTruncated) return undefined;
  for (let cut = 1; cut <= 3 && cut <= bytes.length; cut += 1) {
    // A character begins with a byte that is not 10xxxxxx, and is at most 4 bytes long.
    if ((bytes[bytes.length - cut]! & 0xc0) === 0x80) continue;
    const whole = bytes.subarray(0, bytes.length - cut);
    return isUtf8(whole) ? whole.toString('utf8') : undefined;
  }
  return undefined;
}
