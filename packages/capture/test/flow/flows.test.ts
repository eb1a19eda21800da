import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { storeApiData } from '../../src/store-api-data';
import { openRecorder, responseData } from '../recording/open-recorder';
import { FLOW_PROGRAMS, type FlowProgram } from './flow-programs';

class Bare {
  constructor(private readonly made: () => unknown) {}
  flow() {
    return this.made();
  }
  async later() {
    await nextTurn();
    return this.made();
  }
}

/** What happens when a program uses what the method returns; two of them can be compared. */
async function run({ make, use }: FlowProgram, subject: (made: () => unknown) => Bare, isLater: boolean) {
  const words: unknown[] = [];
  const trace = (word: unknown) => words.push(word);
  let made: unknown;
  const object = subject(() => (made = make(trace)));
  // Not awaited: that would use a thenable.
  const holder =
    isLater && !('then' in (make(() => undefined) as object)) ? [await object.later()] : [object.flow()];
  const isSame = holder[0] === made;
  await use(holder[0] as never, trace);
  return { words, isSame, keys: Object.keys(made as object) };
}

describe('what a decorated method returns to be used over time', () => {
  const decorated = (options: Parameters<typeof openRecorder>[0] = {}) => {
    const opened = openRecorder(options);
    class Decorated extends Bare {
      @storeApiData({ recorder: opened.recorder })
      override flow() {
        return super.flow();
      }
      @storeApiData({ recorder: opened.recorder })
      override async later() {
        return super.later();
      }
    }
    return { ...opened, subject: (made: () => unknown) => new Decorated(made) };
  };

  const cases = Object.entries(FLOW_PROGRAMS).flatMap(([name, program]) =>
    [false, true].map((isLater) => [isLater ? `${name}, out of a promise` : name, program, isLater] as const),
  );
  it.each(cases)(
    'is the same object, works as without, and is recorded: %s',
    async (_name, program, isLater) => {
      const bare = await run(program, (made) => new Bare(made), isLater);
      const { subject, entry, failures } = decorated();
      expect(await run(program, subject, isLater)).toEqual(bare);
      expect(bare.isSame).toBe(true);
      const stored = await entry();
      expect(failures).toEqual([]);
      expect({ outcome: stored.outcome, data: responseData(stored) }).toEqual({
        outcome: program.outcome,
        data: program.recorded,
      });
      if (program.outcome === 'failed') {
        expect(stored).toMatchObject({ errorName: 'RangeError', errorMessage: 'no more' });
      }
    },
  );

  it('is recorded up to the cap, and says that there was more', async () => {
    const { subject, entries } = decorated({ maxBodyBytes: 1_000, compressionThresholdBytes: 10_000 });
    const numbers = subject(function* () {
      for (let at = 0; at < 1_000; at += 1) yield { at };
    });
    expect([...(numbers.flow() as Iterable<unknown>)]).toHaveLength(1_000);
    const stream = subject(() => Readable.from(Array.from({ length: 100 }, () => 'ten words. '.repeat(10))));
    await (stream.flow() as Readable).toArray();
    const [first, second] = await entries();
    expect(first).toMatchObject({ outcome: 'completed', responseState: 'truncated' });
    expect((responseData(first!) as unknown[]).slice(0, 2)).toEqual([{ at: 0 }, { at: 1 }]);
    expect(first!.responseBody!.length).toBeLessThanOrEqual(1_000);
    expect(second).toMatchObject({ outcome: 'completed', responseState: 'truncated' });
    expect(responseData(second!)).toMatch(/^(ten words\. ){90}/);
    expect(second!.responseBody!.length).toBeLessThanOrEqual(1_000);
  });

  it('is redacted across the border of two chunks', async () => {
    const { subject, entry } = decorated();
    const tokens = subject(function* () {
      yield 'the key is sk_li';
      yield 've_51HxPLANTEDPLANTEDPLANTED0 now';
    });
    expect([...(tokens.flow() as Iterable<unknown>)]).toHaveLength(2);
    const stored = responseData(await entry());
    expect(stored).toMatch(/^the key is/);
    expect(stored).not.toContain('PLANTED');
  });

  it('is recorded with what was seen of it when the program lets it go', async () => {
    const { subject, recorder, entry } = decorated();
    (() => {
      const flow = subject(() => [1, 2, 3].values()).flow() as Iterator<unknown>;
      expect(flow.next().value).toBe(1);
    })();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let turn = 0; turn < 100 && recorder.stats().captured === 0; turn += 1) {
      collect();
      await nextTurn();
    }
    const stored = await entry();
    expect(stored).toMatchObject({ outcome: 'aborted', responseState: 'truncated' });
    expect(responseData(stored)).toEqual([1]);
  });

  it('is recorded with what was seen of it when the recorder closes, and goes on to work', async () => {
    const { subject, recorder, store } = decorated();
    const append = jest.spyOn(store, 'append');
    const flow = subject(() => [1, 2].values()).flow() as Iterator<unknown>;
    flow.next();
    await recorder.ready();
    await recorder.close();
    expect(append.mock.calls.flatMap(([entries]) => entries)).toMatchObject([{ outcome: 'aborted' }]);
    expect(flow.next()).toEqual({ done: false, value: 2 });
    expect(flow.next()).toEqual({ done: true, value: undefined });
  });

  it('is watched for a few calls at a time when many return the same', async () => {
    const { subject, entries } = decorated();
    const shared = [1, 2].values();
    const object = subject(() => shared);
    for (let call = 0; call < 6; call += 1) object.flow();
    expect([...shared]).toEqual([1, 2]);
    const recorded = (await entries()).map((entry) => JSON.stringify(responseData(entry))).sort();
    expect(recorded).toEqual(['"[Iterator]"', '"[Iterator]"', '[1,2]', '[1,2]', '[1,2]', '[1,2]']);
  });

  it('lets its bytes go, and says so, when too many are open already', async () => {
    const { subject, entry } = decorated({ maxOpenBytes: 10 });
    const flow = subject(() => Readable.from(['12345678', '12345678'])).flow() as Readable;
    expect(await flow.toArray()).toEqual(['12345678', '12345678']);
    expect(await entry()).toMatchObject({
      outcome: 'completed',
      responseState: 'not_captured',
      responseDetails: { reason: 'open_budget' },
      responseOriginalBytes: 16,
    });
  });

  it('keeps nothing when only the request is wanted', async () => {
    const { recorder, entry } = openRecorder();
    class Service {
      @storeApiData({ recorder, storageType: 'request' })
      flow(_given: string) {
        return [1, 2].values();
      }
    }
    const flow = new Service().flow('a');
    expect(Object.getOwnPropertyNames(flow)).toEqual([]);
    expect(responseData(await entry())).toBeNull();
  });
});

describe('a promise that a decorated method returns', () => {
  it('keeps what hangs on it', async () => {
    const { recorder, entry } = openRecorder();
    class Shell {
      @storeApiData({ recorder })
      run() {
        return Object.assign(Promise.resolve('done'), { pid: 7, kill: () => 'killed' });
      }
    }
    const running = new Shell().run();
    expect([running.pid, running.kill()]).toEqual([7, 'killed']);
    await expect(running).resolves.toBe('done');
    expect(responseData(await entry())).toBe('done');
  });

  it('is left alone when it is of a class of its own', async () => {
    class Task extends Promise<number> {
      #isCancelled = false;
      cancel() {
        this.#isCancelled = true;
        return this.#isCancelled;
      }
    }
    const { recorder, entry } = openRecorder();
    const task = Task.resolve(1) as Task;
    class Queue {
      @storeApiData({ recorder })
      add() {
        return task;
      }
    }
    const added = new Queue().add();
    expect(added).toBe(task);
    expect(added.cancel()).toBe(true);
    expect(responseData(await entry())).toBe('[Promise]');
  });
});
