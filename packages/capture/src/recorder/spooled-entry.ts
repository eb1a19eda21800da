import type { NewEntry } from '../entries/entry-store';
import type { HeaderList } from '../exchange';

/** What a record holds, written straight to where it leaves for the disk from. */
export interface Payload {
  readonly maxBytes: number;
  /** @returns where it ends */
  writeTo(target: Buffer, start: number): number;
}

/** An entry whose bodies are redacted but not packed yet. */
export interface SpooledEntry {
  readonly entry: NewEntry;
  /** Whether its bodies are to be packed. */
  readonly compress: boolean;
}

/** One that waits to be stored, with what was known when its exchange was over. Nothing in it is unredacted. */
export interface SpooledRecord {
  readonly id: string;
  /** As {@link encodeSpooledEntry} wrote it. */
  readonly record: Buffer;
  readonly durationMs: number;
}

const NO_BODY = 0xffff_ffff;

/** Whether to pack (1 byte), length of the JSON (4) and the JSON; then of each body the length (4) and the bytes. */
export function encodeSpooledEntry({ entry, compress }: SpooledEntry): Payload {
  const json = JSON.stringify(valuesOf(entry));
  const { requestBody, responseBody } = entry;
  return {
    // No text takes more than three bytes a unit.
    maxBytes: 13 + 3 * json.length + (requestBody?.length ?? 0) + (responseBody?.length ?? 0),
    writeTo: (target, start) => {
      target[start] = compress ? 1 : 0;
      const jsonBytes = target.write(json, start + 5);
      target.writeUInt32LE(jsonBytes, start + 1);
      let at = start + 5 + jsonBytes;
      for (const body of [requestBody, responseBody]) {
        target.writeUInt32LE(body?.length ?? NO_BODY, at);
        at += 4;
        if (body === null) continue;
        target.set(body, at);
        at += body.length;
      }
      return at;
    },
  };
}

/** @throws when the bytes are not of that form */
export function decodeSpooledEntry(bytes: Buffer): SpooledEntry {
  const jsonEnd = 5 + bytes.readUInt32LE(1);
  const values = JSON.parse(bytes.toString('utf8', 5, jsonEnd)) as ReturnType<typeof valuesOf>;
  let at = jsonEnd;
  const nextBody = (): Buffer | null => {
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (length === NO_BODY) return null;
    const body = bytes.subarray(at, at + length);
    at += length;
    return body;
  };
  const entry = entryOf(values, nextBody(), nextBody());
  return { entry, compress: bytes[0] === 1 };
}

/** By position: with its names it would take twice the room, and twice the time. */
function valuesOf(entry: NewEntry) {
  return [
    entry.id,
    entry.parentId,
    entry.type,
    entry.method,
    entry.endpoint,
    entry.endpointKey,
    entry.path,
    entry.query,
    entry.status,
    entry.outcome,
    entry.errorName,
    entry.errorMessage,
    entry.createdAt,
    entry.durationMs,
    entry.owner,
    entry.clientAddress,
    entry.traceId,
    entry.metadata,
    entry.expiresAt,
    entry.session,
    flat(entry.requestHeaders),
    entry.requestContentType,
    entry.requestOriginalBytes,
    entry.requestStoredBytes,
    entry.requestUnpackedBytes,
    entry.requestCodec,
    entry.requestState,
    entry.requestDetails,
    flat(entry.responseHeaders),
    entry.responseContentType,
    entry.responseOriginalBytes,
    entry.responseStoredBytes,
    entry.responseUnpackedBytes,
    entry.responseCodec,
    entry.responseState,
    entry.responseDetails,
    entry.closedBy,
    entry.offeredBytes,
    entry.sentBytes,
    entry.firstByteMs,
    entry.chunks,
    entry.longestGapMs,
    entry.redacted,
    entry.warnings,
    entry.isCorrection ?? null,
  ] as const;
}

function entryOf(
  values: ReturnType<typeof valuesOf>,
  requestBody: Buffer | null,
  responseBody: Buffer | null,
): NewEntry {
  const [
    id,
    parentId,
    type,
    method,
    endpoint,
    endpointKey,
    path,
    query,
    status,
    outcome,
    errorName,
    errorMessage,
    createdAt,
    durationMs,
    owner,
    clientAddress,
    traceId,
    metadata,
    expiresAt,
    session,
    requestHeaders,
    requestContentType,
    requestOriginalBytes,
    requestStoredBytes,
    requestUnpackedBytes,
    requestCodec,
    requestState,
    requestDetails,
    responseHeaders,
    responseContentType,
    responseOriginalBytes,
    responseStoredBytes,
    responseUnpackedBytes,
    responseCodec,
    responseState,
    responseDetails,
    closedBy,
    offeredBytes,
    sentBytes,
    firstByteMs,
    chunks,
    longestGapMs,
    redacted,
    warnings,
    isCorrection,
  ] = values;
  return {
    id,
    parentId,
    type,
    method,
    endpoint,
    endpointKey,
    path,
    query,
    status,
    outcome,
    errorName,
    errorMessage,
    createdAt,
    durationMs,
    owner,
    clientAddress,
    traceId,
    metadata,
    expiresAt,
    session,
    requestHeaders: pairs(requestHeaders),
    requestContentType,
    requestOriginalBytes,
    requestStoredBytes,
    requestUnpackedBytes,
    requestCodec,
    requestState,
    requestDetails,
    responseHeaders: pairs(responseHeaders),
    responseContentType,
    responseOriginalBytes,
    responseStoredBytes,
    responseUnpackedBytes,
    responseCodec,
    responseState,
    responseDetails,
    closedBy,
    offeredBytes,
    sentBytes,
    firstByteMs,
    chunks,
    longestGapMs,
    redacted,
    warnings,
    requestBody,
    responseBody,
    ...(isCorrection !== null && { isCorrection }),
  };
}

function flat(headers: HeaderList): string[] {
  const texts: string[] = [];
  for (const [name, value] of headers) texts.push(name, value);
  return texts;
}

function pairs(texts: readonly string[]): HeaderList {
  const headers: [string, string][] = [];
  for (let index = 0; index < texts.length; index += 2) {
    headers.push([texts[index] ?? '', texts[index + 1] ?? '']);
  }
  return headers;
}
