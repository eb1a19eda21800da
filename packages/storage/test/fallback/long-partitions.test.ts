import { at, openRig, type Rig } from './rig';

const rigs: Rig[] = [];

async function open(options?: Parameters<typeof openRig>[0]): Promise<Rig> {
  const rig = await openRig(options);
  rigs.push(rig);
  return rig;
}

/** Of as many bytes as are allowed, and some that are just not too long for what stands before them. */
const LENGTHS = [980, 1_000, 1_006, 1_007, 1_008, 1_020, 1_024];
const named = (length: number, letter = 'p'): string => letter.repeat(length);

describe('FallbackBackend with partitions of long names', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.backend.close().catch(() => undefined);
    jest.useRealTimers();
  });

  it('takes them while its backend is away, and replays them', async () => {
    const { backend, primary, behind, standIns, events, advance } = await open();
    primary.isDown = true;
    for (const length of LENGTHS) {
      const partition = named(length);
      await backend.set(at('k', partition), length);
      await backend.append(at('l', partition), [length]);
      await backend.delete(at('gone', partition));
      expect(await backend.get(at('k', partition))).toMatchObject({ value: length });
      expect(await backend.get(at('gone', partition))).toBeUndefined();
      await expect(backend.get(at('other', partition))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
    primary.isDown = false;
    await advance(12_000);
    expect(events.at(-1)).toMatchObject({ type: 'recovered', replayed: 3 * LENGTHS.length, conflicts: 0 });
    for (const length of LENGTHS) {
      expect(await behind.get(at('k', named(length)))).toMatchObject({ value: length });
      expect(await behind.range(at('l', named(length)))).toEqual([length]);
    }
    expect((await standIns[0]!.inner.partitions()).items).toEqual([]);
  });

  it('lists them among the others, in order, page by page', async () => {
    const { backend, primary } = await open({ reads: 'partial' });
    primary.isDown = true;
    const names = [
      ...['a', 'pp', 'q', 'z', '\u{ffff}', '\u{1f600}'],
      ...LENGTHS.map((length) => named(length)),
      ...[named(1_020, 'b'), `${named(1_001)}\u{1f600}z`, `${named(1_001)}é`],
      // Cut to what there is room for within its last character, the longer one sorts before the other.
      ...[`${named(1_005)}\u{1f600}aaaaa`, `${named(1_005)}é`],
    ];
    for (const partition of names) await backend.set(at('k', partition), 1);
    await backend.set(at('k', named(1_023)), 1);
    await backend.delete(at('k', named(1_023)));
    const inOrder = [...names].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    expect((await backend.partitions()).items).toEqual(inOrder);
    expect((await backend.partitions('p')).items).toEqual(inOrder.filter((name) => name.startsWith('p')));
    const prefix = named(1_010);
    expect((await backend.partitions(prefix)).items).toEqual([named(1_020), named(1_024)]);
    for (const limit of [1, 2, 5]) {
      const found: string[] = [];
      for (let after: string | undefined; ;) {
        const page = await backend.partitions('', { limit, ...(after === undefined ? {} : { after }) });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        expect(page.next).not.toBe(after);
        found.push(...page.items);
        if (page.next === undefined) break;
        after = page.next;
      }
      expect(found).toEqual(inOrder);
    }
    for (const after of inOrder)
      expect((await backend.partitions('', { after })).items).toEqual(
        inOrder.slice(inOrder.indexOf(after) + 1),
      );
    expect((await backend.keys(named(1_024))).items).toEqual(['k']);
    expect((await backend.scan(named(1_024))).items).toMatchObject([{ key: 'k', value: 1 }]);
  });

  it('takes no longer ones than its backend does', async () => {
    const { backend, primary } = await open();
    primary.isDown = true;
    await backend.set(at('k'), 1);
    const long = at('k', named(1_025));
    const code = 'KEY_INVALID';
    await expect(backend.set(long, 1)).rejects.toMatchObject({ code });
    await expect(backend.get(long)).rejects.toMatchObject({ code });
    await expect(backend.range(long)).rejects.toMatchObject({ code });
  });
});
