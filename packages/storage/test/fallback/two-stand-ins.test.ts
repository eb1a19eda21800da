import { createMemoryBackend } from '../../src/backends/memory/memory-backend';
import { FakeClock } from '../../src/testing';
import { unavailable } from '../faulty-backend';
import { at, openRig, type Rig } from './rig';

const typesOf = ({ events }: Rig): string[] => events.map(({ type }) => type);

/** Something that others wait for. */
function latch() {
  let release!: () => void;
  const released = new Promise<void>((resolve) => (release = resolve));
  return { released, release };
}

/** The first has what is written until then, and fails; the second has taken over. */
async function onTheSecond(write: (rig: Rig) => Promise<unknown>): Promise<Rig> {
  const rig = await openRig({ standIns: 2, stableMs: 1_000, reads: 'partial' });
  rig.primary.isDown = true;
  await rig.backend.get(at('none'));
  await write(rig);
  rig.standIns[0]!.faults.isDown = true;
  await rig.backend.get(at('none'));
  expect(rig.backend.state.servedBy).toBe('stand-in 2');
  rig.standIns[0]!.faults.isDown = false;
  return rig;
}

describe('two that stand in', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('takes an operation over that failed while another one made the switch', async () => {
    const { backend, primary, standIns, advance } = await openRig({ graceMs: 500 });
    const { released, release } = latch();
    standIns[0]!.faults.before = (method) => (method === 'keys' ? released : undefined);
    primary.isDown = true;
    primary.before = (method) => {
      if (method === 'set') throw unavailable('ECONNRESET');
    };
    const first = backend.get(at('a')).catch(() => undefined);
    // The first that takes over is being opened.
    await advance(600);
    const second = backend.set(at('b'), 1);
    await advance(20);
    release();
    await advance(1_000);
    await first;
    expect(await second).toEqual(expect.any(String));
    expect((await backend.get(at('b')))?.value).toBe(1);
  });

  it("takes what the first had for the program's own, also when the backend went away in between", async () => {
    const rig = await onTheSecond(async ({ backend }) => {
      await backend.set(at('k'), 'first');
      for (let n = 0; n < 60; n += 1) await backend.set(at(`other${n}`), n);
    });
    const { backend, behind, primary, advance } = rig;
    let sets = 0;
    primary.before = (method) => {
      if (method === 'set' && (sets += 1) > 30) throw unavailable('ECONNREFUSED');
    };
    primary.isDown = false;
    await advance(3_000);
    expect(backend.state.isDegraded).toBe(true);
    expect((await behind.get(at('k')))?.value).toBe('first');
    await backend.set(at('k'), 'second');
    primary.before = undefined;
    await advance(20_000);
    expect((await behind.get(at('k')))?.value).toBe('second');
    expect(typesOf(rig)).toEqual(['degraded', 'degraded', 'recovered']);
  });

  it('takes it so in the next process too', async () => {
    const rig = await onTheSecond(({ backend }) => backend.set(at('k'), 'first'));
    const { backend, behind, primary, standIns, clock, advance } = rig;
    await backend.set(at('k'), 'second');
    primary.before = async () => {
      if ((await behind.get(at('k'))) !== undefined) primary.isDown = true;
    };
    primary.isDown = false;
    await advance(3_000);
    expect((await behind.get(at('k')))?.value).toBe('first');
    await backend.close();
    const next = await openRig({ stores: standIns.map(({ inner }) => inner), behind, clock });
    expect((await next.backend.get(at('k')))?.value).toBe('second');
    expect(typesOf(next)).toEqual(['recovered']);
  });

  it('replays all of the first before anything of the second, however fast that is written to', async () => {
    const { backend, behind, primary, advance } = await onTheSecond(async ({ backend: given }) => {
      for (let n = 0; n < 100; n += 1) await given.set(at(`x${n}`), n);
      await given.set(at('deleted'), 'old');
      await given.append(at('list'), ['old']);
    });
    const { released, release } = latch();
    primary.before = (method) => (method === 'set' ? released : undefined);
    primary.isDown = false;
    await advance(3_000);
    await backend.delete(at('deleted'));
    await backend.append(at('list'), ['new']);
    for (let n = 0; n < 60; n += 1) await backend.set(at(`y${n}`), n);
    release();
    await advance(5_000);
    expect(backend.state.isDegraded).toBe(false);
    expect(await behind.range(at('list'))).toEqual(['old', 'new']);
    expect(await behind.get(at('deleted'))).toBeUndefined();
  });

  it('is back though the second is full', async () => {
    const clock = new FakeClock();
    const stores = [{}, { maxItems: 30 }].map((limits) =>
      createMemoryBackend({ clock, sweepIntervalMs: 0, ...limits }),
    );
    const rig = await openRig({ stableMs: 1_000, clock, stores, closesAll: true });
    const { backend, behind, primary, standIns } = rig;
    primary.isDown = true;
    await backend.set(at('a'), 1);
    standIns[0]!.faults.isDown = true;
    let taken = 0;
    const fill = async (): Promise<void> => {
      for (; taken < 100; taken += 1) await backend.set(at(`c${taken}`), taken);
    };
    await expect(fill()).rejects.toMatchObject({ code: 'CAPACITY_EXCEEDED' });
    standIns[0]!.faults.isDown = false;
    primary.isDown = false;
    await rig.advance(30_000);
    expect(backend.state.isDegraded).toBe(false);
    expect((await behind.keys('p', { limit: 1_000 })).items).toHaveLength(1 + taken);
  });

  it('is back though the second has nothing, and is away itself', async () => {
    const rig = await onTheSecond(({ backend }) => backend.set(at('k'), 'first'));
    rig.standIns[1]!.faults.isDown = true;
    rig.primary.isDown = false;
    await rig.advance(5_000);
    expect(rig.backend.state.isDegraded).toBe(false);
    expect((await rig.behind.get(at('k')))?.value).toBe('first');
  });

  it('does not go on to the second when the backend came back meanwhile', async () => {
    const rig = await openRig({ standIns: 2, stableMs: 1_000, reads: 'partial' });
    const { backend, primary, standIns, advance } = rig;
    primary.isDown = true;
    await backend.get(at('none'));
    primary.isDown = false;
    await advance(1_000);
    const { released, release } = latch();
    standIns[1]!.faults.before = (method) => (method === 'keys' ? released : undefined);
    standIns[0]!.faults.isDown = true;
    const read = backend.get(at('k'));
    await advance(2_500);
    expect(typesOf(rig)).toEqual(['degraded', 'recovered']);
    release();
    await advance(10);
    expect(await read).toBeUndefined();
    expect(typesOf(rig)).toEqual(['degraded', 'recovered']);
    expect(backend.state.isDegraded).toBe(false);
  });

  it('refuses what two processes would write over each other in one store', async () => {
    const one = await openRig({ isDown: true });
    const other = await openRig({ isDown: true, stores: [one.standIns[0]!.inner] });
    await one.backend.set(at('a'), 'one');
    await expect(other.backend.set(at('b'), 'other')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/Another process keeps its writes/),
    });
    await one.backend.set(at('c'), 'one');
    one.primary.isDown = false;
    await one.advance(30_000);
    expect((await one.behind.keys('p')).items).toEqual(['a', 'c']);
  });
});
