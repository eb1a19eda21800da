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

  it('keeps every field of an entry in its place', () => {
    const entry = newEntry();
    const fields = Object.keys(entry).filter((field) => !/Body$|Headers$/.test(field));
    const told = {
      ...entry,
      ...Object.fromEntries(fields.map((field) => [field, `told in ${field}`])),
      requestHeaders: [
        ['a', 'b'],
        ['a', ''],
      ],
      responseHeaders: [['', 'c']],
      isCorrection: true,
    } as unknown as typeof entry;
    for (const each of [told, entry]) {
      const payload = encodeSpooledEntry({ entry: each, compress: true });
      const target = Buffer.alloc(payload.maxBytes);
      expect(decodeSpooledEntry(target.subarray(0, payload.writeTo(target, 0))).entry).toEqual(each);
    }
  });
});
