import type { GapRecord } from '../../src/entries/gap';
import { ADMIN, ANN, codesOf, fieldsOf, idsOf, newTestRecorder, openRouter } from './router-rig';

const DAY = Date.UTC(2026, 0, 1);

function gap(id: string, overrides: Partial<GapRecord> = {}): GapRecord {
  return {
    id,
    missing: 'exchanges',
    startedAt: DAY,
    endedAt: DAY + 1_500,
    exchanges: 5,
    reasons: { queue_full: 4, noisy_owner: 1 },
    expiresAt: null,
    ...overrides,
  };
}

async function openWithGaps(...gaps: readonly GapRecord[]) {
  const recorder = await newTestRecorder();
  await recorder.store.saveGaps(gaps);
  return { recorder, router: openRouter(recorder) };
}

describe('GET /gaps', () => {
  it('shows an admin when something was not kept, what, and why', async () => {
    const { router } = await openWithGaps(
      gap('a'),
      gap('b', { missing: 'bodies', expiresAt: DAY + 86_400_000 }),
    );
    const answer = await router.get(ADMIN, '/gaps');
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({
      items: [
        {
          id: 'b',
          missing: 'bodies',
          started_at: '2026-01-01T00:00:00.000Z',
          ended_at: '2026-01-01T00:00:01.500Z',
          exchanges: 5,
          reasons: { queue_full: 4, noisy_owner: 1 },
          ttl: '2026-01-02T00:00:00.000Z',
        },
        expect.objectContaining({ id: 'a', missing: 'exchanges', ttl: null }),
      ],
      total: 2,
      total_is_capped: false,
      page: 1,
      page_size: 20,
      has_more: false,
      cursor: null,
    });
  });

  it('leads from page to page', async () => {
    const gaps = ['a', 'b', 'c', 'd', 'e'].map((id, at) => gap(id, { startedAt: DAY + at }));
    const { router } = await openWithGaps(...gaps);
    const first = await router.get(ADMIN, '/gaps?page_size=2');
    expect(idsOf(first)).toEqual(['e', 'd']);
    expect(first.body.data).toMatchObject({ has_more: true, total: 5 });
    const cursor = String(first.body.data['cursor']);
    expect(idsOf(await router.get(ADMIN, `/gaps?page_size=2&cursor=${cursor}`))).toEqual(['c', 'b']);
    const last = await router.get(ADMIN, '/gaps?page_size=2&page=3&include_total=false');
    expect(idsOf(last)).toEqual(['a']);
    expect(last.body.data).toMatchObject({ total: null, has_more: false, cursor: null });
    expect(codesOf(await router.get(ADMIN, `/gaps?page=2&cursor=${cursor}`))).toEqual([
      'PARAMETER_PRECEDENCE',
    ]);
  });

  it('takes a time, of which a gap needs to share a part only', async () => {
    const { router } = await openWithGaps(
      gap('over midnight', { startedAt: DAY - 5_000, endedAt: DAY + 5_000 }),
      gap('before', { startedAt: DAY - 9_000, endedAt: DAY - 8_000 }),
    );
    expect(idsOf(await router.get(ADMIN, '/gaps?start_date=2026-01-01'))).toEqual(['over midnight']);
    expect(idsOf(await router.get(ADMIN, '/gaps?end_date=2025-12-31'))).toEqual(['over midnight', 'before']);
    expect(idsOf(await router.get(ADMIN, '/gaps?start_date=2026-01-02'))).toEqual([]);
    expect(fieldsOf(await router.get(ADMIN, '/gaps?start_date=soon&colour=red'))).toEqual([
      'start_date',
      'colour',
    ]);
  });

  it('is for admins: how much others send is nobody else’s business', async () => {
    const { router } = await openWithGaps(gap('a'));
    expect((await router.get(ANN, '/gaps')).status).toBe(403);
    expect((await router.get(undefined, '/gaps')).status).toBe(401);
    expect((await router.post(ADMIN, '/gaps', {})).status).toBe(405);
  });

  it('leaves the lists of entries as they are, and adds sums to the counters', async () => {
    const { router } = await openWithGaps(gap('a'), gap('b', { missing: 'headers', exchanges: 7 }));
    expect((await router.post(ADMIN, '/query', {})).body.data.items).toEqual([]);
    expect((await router.get(ADMIN, '/entries/a')).status).toBe(404);
    expect((await router.get(ADMIN, '/stats')).body.data['gaps']).toEqual({
      total: 2,
      total_is_capped: false,
      exchanges: 5,
      bodies: 0,
      headers: 7,
    });
  });
});
