import type { NewEntry } from '../entries/entry-store';

/** An entry whose bodies are redacted but not packed yet. */
export interface SpooledEntry {
  readonly entry: NewEntry;
  /** Whether its bodies are to be packed. */
  readonly compress: boolean;
}

const NO_BODY = 0xffff_ffff;

/** Length of the JSON (4 bytes) and the JSON; then of each body the length (4) and the bytes. */
export function encodeSpooledEntry({ entry, compress }: SpooledEntry): Buffer {
  const { requestBody, responseBody, ...rest } = entry;
  const json = JSON.stringify({ ...rest, compress });
  const jsonBytes = Buffer.byteLength(json);
  const bytes = Buffer.allocUnsafe(12 + jsonBytes + (requestBody?.length ?? 0) + (responseBody?.length ?? 0));
  bytes.writeUInt32LE(jsonBytes, 0);
  bytes.write(json, 4);
  let at = 4 + jsonBytes;
  for (const body of [requestBody, responseBody]) {
    bytes.writeUInt32LE(body?.length ?? NO_BODY, at);
    at += 4;
    if (body === null) continue;
    bytes.set(body, at);
    at += body.length;
  }
  return bytes;
}

/** @throws when the bytes are not of that form */
export function decodeSpooledEntry(bytes: Buffer): SpooledEntry {
  const jsonEnd = 4 + bytes.readUInt32LE(0);
  const { compress, ...rest } = JSON.parse(bytes.toString('utf8', 4, jsonEnd)) as Omit<
    NewEntry,
    'requestBody' | 'responseBody'
  > & { compress: boolean };
  let at = jsonEnd;
  const nextBody = (): Buffer | null => {
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (length === NO_BODY) return null;
    const body = bytes.subarray(at, at + length);
    at += length;
    return body;
  };
  const requestBody = nextBody();
  return { entry: { ...rest, requestBody, responseBody: nextBody() }, compress };
}
