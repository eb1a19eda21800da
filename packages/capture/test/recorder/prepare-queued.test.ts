import { createEntryTools } from '../../src/recorder/entry-tools';
import { prepareQueued } from '../../src/recorder/prepare-queued';
import { encodeSpooledEntry } from '../../src/recorder/spooled-entry';
import { newEntry } from '../../src/testing/new-entry';

describe('prepareQueued', () => {
  it('packs what was spooled, changes nothing else of it, and adds how long it took in the end', async () => {
    const entry = {
      ...newEntry(),
      durationMs: 1,
      responseBody: Buffer.alloc(5_000, 'x'),
      // Would be hidden if it were redacted again.
      metadata: { password: 'as it was redacted' },
    };
    const payload = encodeSpooledEntry({ entry, compress: true });
    const record = Buffer.alloc(payload.maxBytes);
    const end = payload.writeTo(record, 0);
    const queued = { id: entry.id, durationMs: 12.345_678, record: record.subarray(0, end) };
    const prepared = await prepareQueued(
      queued,
      createEntryTools({}, () => undefined),
    );
    expect(prepared).toMatchObject({
      id: entry.id,
      durationMs: 12.346,
      responseCodec: 'deflate',
      metadata: { password: 'as it was redacted' },
    });
    expect(prepared.responseStoredBytes).toBeLessThan(1_000);
  });
});
