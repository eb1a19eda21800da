import type { NewEntry } from '../entries/entry-store';

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
export function encodeSpooledEntry({ entry, compress }: SpooledEntry): {
  readonly maxBytes: number;
  writeTo(target: Buffer, start: number): number;
} {
  const { requestBody, responseBody } = entry;
  // The entry is the caller's own: taking two fields out for a moment is cheaper than a copy of fifty.
  entry.requestBody = null;
  entry.responseBody = null;
  const json = JSON.stringify(entry);
  entry.requestBody = requestBody;
  entry.responseBody = responseBody;
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
  const entry = JSON.parse(bytes.toString('utf8', 5, jsonEnd)) as NewEntry;
  let at = jsonEnd;
  const nextBody = (): Buffer | null => {
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (length === NO_BODY) return null;
    const body = bytes.subarray(at, at + length);
    at += length;
    return body;
  };
  entry.requestBody = nextBody();
  entry.responseBody = nextBody();
  return { entry, compress: bytes[0] === 1 };
}
