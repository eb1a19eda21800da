import Router from '@koa/router';
import { armFaultPoints, FAULT_POINTS, type FaultPoint } from '../../packages/capture/src/fault-point';
import { createMemoryEntryStore } from '../../packages/capture/src/testing';
import { CASES } from './cases';
import { differences } from './compare';
import type { FidelityCase } from './fidelity-case';
import { reportFigures } from './figures';
import { HOSTS, hostsOf } from './hosts';
import { openRecap, type Recap } from './recap';
import { runCase } from './run-case';

jest.setTimeout(60_000);

let faultPoints = 0;
let faultPointsHeld = 0;
afterAll(() => reportFigures({ faultPoints, faultPointsHeld }));
afterEach(() => armFaultPoints(undefined));

const request = {
  method: 'POST',
  path: '/orders/42?x=1',
  headers: [['Content-Type', 'application/json']],
  body: '{"a":1}',
} as const;

/** Comes by every point: a body, a route, an answer in pieces. */
const answering: FidelityCase = {
  name: 'a handler that answers',
  topic: 'frameworks',
  request,
  express: (app, { express }) => {
    app.post('/orders/:id', express.json(), (incoming, response) => {
      response.type('text').write('one ');
      response.end(JSON.stringify(incoming.body));
    });
  },
  koa: (app) => {
    const router = new Router().post('/orders/:id', async (context) => {
      const chunks: Buffer[] = [];
      for await (const chunk of context.req) chunks.push(chunk as Buffer);
      context.body = Buffer.concat(chunks);
    });
    app.use(router.routes());
  },
};

const failing: FidelityCase = {
  name: 'a handler that fails',
  topic: 'errors',
  request,
  express: (app) => {
    app.post('/orders/:id', () => {
      throw new Error('trouble');
    });
  },
  koa: (app) => {
    app.use(() => {
      throw new Error('trouble');
    });
  },
};

function openEverything(point: FaultPoint): Recap {
  return openRecap({
    owner: () => 'ann',
    sessionGroup: () => 'group',
    metadata: () => ({ a: 1 }),
    skip: () => false,
    sample: 0.5,
    random: () => 0,
    trustedProxies: 'loopback',
    // It adds a header where it does not fail.
    ...(point === 'announce' && { sessionHeader: true }),
  });
}

const hosts = HOSTS.filter(({ isHttp2 }) => !isHttp2);

describe.each(hosts.map((host) => [host.name, host] as const))('on %s', (_name, host) => {
  // Only Express has routers that are watched.
  const points = FAULT_POINTS.filter((point) => host.isExpress || point !== 'route');

  it.each(points)(
    'a failure at "%s" changes nothing, is counted and told, and is over then',
    async (point) => {
      faultPoints += 1;
      const program = point === 'error' ? failing : answering;
      const recap = openEverything(point);
      const bare = await runCase(program, host, undefined);
      const fault = new Error(`a fault at ${point}`);
      let reached = 0;
      armFaultPoints((at) => {
        if (at !== point) return;
        reached += 1;
        throw fault;
      });
      const recorded = await runCase(program, host, recap);
      // A store that cannot be opened is told of by the flush as well.
      await recap.recorder.flush().catch(() => undefined);
      armFaultPoints(undefined);

      expect(reached).toBeGreaterThan(0);
      expect(differences(bare, recorded)).toEqual([]);
      expect(recap.failures.map(({ error }) => error)).toContain(fault);
      expect(recap.recorder.stats().internalErrors).toBe(recap.failures.length);

      const before = (await recap.entries()).length;
      await runCase(answering, host, recap);
      const entries = await recap.entries();
      expect(entries.length).toBe(before + 1);
      expect(entries.at(-1)).toMatchObject({ outcome: 'completed', status: 200, path: '/orders/42' });
      const { captured, stored, queued, shed, open } = recap.recorder.stats();
      const lost = Object.values(shed).reduce((sum, count) => sum + count, 0);
      expect({ captured, open }).toEqual({ captured: stored + queued + lost, open: 0 });
      // What does not come as far as to a recorder is not counted by it.
      expect(captured).toBe(point === 'mount' ? 1 : 2);
      await recap.close();
      faultPointsHeld += 1;
    },
  );

  it.each(['open', 'append'] as const)('a store whose %s never ends changes nothing', async (operation) => {
    const store = createMemoryEntryStore();
    const hanging = { ...store, [operation]: () => new Promise<never>(() => undefined) };
    const recap = openRecap({ flushIntervalMs: 1 }, hanging);
    const programs = CASES.filter((each) => hostsOf(each).includes(host) && each.topic === 'streams');
    for (const program of [answering, failing, ...programs]) {
      const bare = await runCase(program, host, undefined);
      expect(differences(bare, await runCase(program, host, recap))).toEqual([]);
    }
    const { captured, queued, stored } = recap.recorder.stats();
    expect(captured).toBeGreaterThanOrEqual(programs.length + 2);
    expect({ queued, stored }).toEqual({ queued: captured, stored: 0 });
    await recap.recorder.close({ timeoutMs: 1 });
    expect(recap.recorder.stats()).toMatchObject({ queued: 0, shed: { closed: captured } });
  });
});
