import fc from 'fast-check';
import { newEntry } from '../../src/testing/new-entry';
import { decodeSpooledEntry, encodeSpooledEntry } from '../../src/recorder/spooled-entry';

const body = fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));

describe('encodeSpooledEntry', () => {
  it('writes what decodeSpooledEntry reads, whatever characters and bytes there are', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(
        text,
        text,
        body,
        body,
        fc.boolean(),
        (path, value, requestBody, responseBody, compress) => {
          const entry = { ...newEntry(), path, metadata: { value }, requestBody, responseBody };
          const payload = encodeSpooledEntry({ entry, compress });
          const target = Buffer.alloc(payload.maxBytes);
          const end = payload.writeTo(target, 0);
          expect(decodeSpooledEntry(target.subarray(0, end))).toEqual({ entry, compress });
        },
      ),
    );
  });
});
