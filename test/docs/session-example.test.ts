import {
  placeEntries,
  type EntryToPlace,
  type SessionSpan,
} from '../../packages/capture/src/sessions/place-entries';
import { readMarkdown } from './markdown-blocks';

const MINUTE = 60_000;
const ROW = /^\| `(\w)`\s*\| `(\d\d):(\d\d):(\d\d)` \| `(\d+) s`\s*\|[^|]*\| `(S\d)`\s*\|$/gm;

/** The worked example in Concepts: entries with the session that the page says they are in. */
const rows = [...readMarkdown('docs/concepts.md').matchAll(ROW)].map(
  ([, id = '', hours, minutes, seconds, took, session = '']) => ({
    entry: entry(id, Date.UTC(2026, 10, 20, Number(hours), Number(minutes), Number(seconds)), Number(took)),
    session,
  }),
);

function entry(id: string, createdAt: number, seconds: number): EntryToPlace {
  const session = { key: 'ann', group: undefined, timeoutMs: 30 * MINUTE };
  return { id, owner: 'ann', createdAt, durationMs: seconds * 1000, session };
}

describe('the worked example of sessions', () => {
  let ids = 0;
  const options = { maxAgeMs: 24 * 60 * MINUTE, newId: () => `S${(ids += 1)}` };
  let known: readonly SessionSpan[] = [];

  it('is placed as the page says', () => {
    const plan = placeEntries(
      rows.map((row) => row.entry),
      known,
      options,
    );
    known = plan.sessions;
    expect(rows.map((row) => row.entry.id)).toEqual(['a', 'b', 'c', 'd']);
    expect([...plan.placements.values()]).toEqual(rows.map(({ session }) => session));
  });

  it('becomes one session when the late stream ends', () => {
    const stream = entry('stream', Date.UTC(2026, 10, 20, 12, 58), 900);
    const plan = placeEntries([stream], known, options);
    expect(plan.placements.get('stream')).toBe('S1');
    expect(plan.merged).toEqual([{ from: 'S2', into: 'S1' }]);
  });
});
