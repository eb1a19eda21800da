import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a process prints that runs `work` on a service, bare or decorated; under Jest, Node's own events are out of reach. */
async function printed(work: string, isDecorated: boolean): Promise<string> {
  const program = `
    const { createRecorder, storeApiData } = require('@recap/capture');
    const nextTurn = require('node:timers/promises').setImmediate;
    const recorder = createRecorder({ database: { type: 'sqlite', path: ':memory:' }, onError: console.log });
    class Service {
      async rejects() { await nextTurn(); throw new RangeError('nobody asks'); }
      async *fails() { yield 1; throw new RangeError('nobody asks'); }
      flow() { return require('node:stream').Readable.from(['a']).on('end', () => console.log('end')); }
      never() { return new Promise(() => {}); }
    }
    if (${String(isDecorated)}) {
      for (const name of ['rejects', 'fails', 'flow', 'never']) {
        const method = Object.getOwnPropertyDescriptor(Service.prototype, name);
        storeApiData({ recorder })(Service.prototype, name, method);
        Object.defineProperty(Service.prototype, name, method);
      }
    }
    process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
    process.on('rejectionHandled', () => console.log('handled late'));
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const service = new Service();
    (async () => { ${work} })();
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { cwd: __dirname });
  return stdout;
}

describe('in a plain process, a decorated method', () => {
  it.each([
    ['service.rejects();', 'unhandled nobody asks\n'],
    ['await service.rejects().catch((error) => console.log(error.message));', 'nobody asks\n'],
    [
      'const late = service.rejects(); await nextTurn(); await nextTurn(); late.catch(() => console.log("caught"));',
      'unhandled nobody asks\ncaught\nhandled late\n',
    ],
    ['const flow = service.fails(); await flow.next(); flow.next();', 'unhandled nobody asks\n'],
    [
      'try { for await (const each of service.fails()) console.log(each); } catch (error) { console.log(error.message); }',
      '1\nnobody asks\n',
    ],
    ['for await (const each of service.flow()) console.log(each);', 'a\nend\n'],
    // Nothing of Recap’s keeps the process alive.
    ['service.flow(); service.fails(); service.never(); console.log("over");', 'over\n'],
  ])('is unhandled, late or silent exactly when it would be without: %s', async (work, output) => {
    const [bare, decorated] = await Promise.all([printed(work, false), printed(work, true)]);
    expect(bare).toBe(output);
    expect(decorated).toBe(output);
  });
});
