import express from 'express';
import express5 from 'express5';
import { getMetadataArgsStorage } from 'routing-controllers';
import type { Answer } from '../fidelity/orders-client';
import { exchange, listen, openRecorder, type Entry, type Opened } from './rig';
import { routingControllersProgram } from './routing-controllers-program';

/** Request, and what is recorded of it. */
const REQUESTS: readonly (readonly [request: string, recorded: Partial<Entry>])[] = [
  ['GET /users/7', { endpoint: '/users/:id', storage_info: { route: 'one' } }],
  ['POST /users\n{"name":"Tom"}', { endpoint: '/users', storage_info: { route: 'create' } }],
  // Ended before the method was called.
  ['GET /users/x/refused', { endpoint: '/users/x/refused', storage_info: {} }],
  ['GET /users/x/wrapped', { endpoint: '/users/x/wrapped', storage_info: { route: 'wrapped' } }],
  ['GET /users/x/broken', { endpoint: '/users/x/broken', storage_info: { route: 'broken' } }],
  ['GET /users/x/moved', { endpoint: '/users/x/moved', storage_info: { route: 'moved' } }],
  ['GET /pages/own/ann', { endpoint: '/pages/own/:name', storage_info: { route: 'own' } }],
  ['GET /pages/text', { endpoint: '/pages/text', storage_info: { route: 'text' } }],
  ['GET /pages/stream', { endpoint: '/pages/stream', storage_info: { route: 'stream' } }],
  ['GET /nowhere', { endpoint: null, storage_info: {} }],
];

describe.each([
  ['Express 4', express],
  ['Express 5', express5],
] as const)('routing-controllers on %s', (_name, framework) => {
  let opened: Opened;
  let bare: Answer[];

  const answersOf = async (app: express.Express, requests: readonly string[]) => {
    const { port, server } = await listen(app);
    const answers = await exchange(port, requests);
    await new Promise((resolve) => server.close(resolve));
    return answers;
  };
  // What controllers declare is kept for the process.
  afterEach(() => {
    getMetadataArgsStorage().reset();
  });
  beforeAll(async () => {
    bare = await answersOf(
      routingControllersProgram(framework, undefined, {}),
      REQUESTS.map(([request]) => request),
    );
    getMetadataArgsStorage().reset();
  });
  beforeEach(async () => {
    opened = await openRecorder();
  });
  afterEach(() => opened.close());

  it('answers what the program says', () => {
    expect(bare.map(({ status }) => status)).toEqual([200, 202, 403, 200, 418, 302, 203, 200, 200, 404]);
  });

  it.each(['above', 'below'] as const)(
    'answers the same with the middleware and the decorator %s the route’s, and every exchange is one entry',
    async (place) => {
      const { recorder, errors, entries } = opened;
      const app = routingControllersProgram(
        framework,
        place,
        { recorder },
        { recorder, metadata: { from: 'middleware' } },
      );
      const answers = await answersOf(
        app,
        REQUESTS.map(([request]) => request),
      );
      expect(answers.map(({ wire }) => wire)).toEqual(bare.map(({ wire }) => wire));
      const all = await entries();
      expect(errors).toEqual([]);
      const exchanges = all.filter(({ method }) => method !== null);
      expect(exchanges).toHaveLength(REQUESTS.length);
      exchanges.forEach((entry, at) => {
        const [request, { storage_info, ...recorded }] = REQUESTS[at]!;
        expect(entry).toMatchObject({
          method: request.split(' ')[0],
          status: bare[at]!.status,
          storage_info: { from: 'middleware', ...storage_info },
          ...recorded,
        });
      });
      expect(exchanges[1]!.request.data).toEqual({ name: 'Tom' });
      expect(exchanges[8]!.response.data).toBe(bare[8]!.text);
      const call = all.find(({ method }) => method === null);
      expect(call).toMatchObject({
        endpoint: 'Catalogue.find',
        parent_id: exchanges[0]!.id,
        storage_info: { step: 'find' },
        response: { data: { id: 7 } },
      });
    },
  );

  it('records without a middleware, by the decorator alone', async () => {
    const { recorder, errors, entries } = opened;
    const requests = ['GET /pages/own/ann', 'GET /pages/stream', 'GET /users/x/broken'];
    const answers = await answersOf(routingControllersProgram(framework, 'below', { recorder }), requests);
    const at = requests.map((request) => REQUESTS.findIndex(([each]) => each === request));
    expect(answers.map(({ wire }) => wire)).toEqual(at.map((index) => bare[index]!.wire));
    const [own, stream, broken] = await entries();
    expect(errors).toEqual([]);
    expect(own).toMatchObject({ method: 'GET', endpoint: '/pages/own/:name', status: 203 });
    // Read by the framework, and recorded as it was read.
    expect(stream).toMatchObject({
      endpoint: 'PagesController.stream',
      response: { data: 'part 0 part 1 part 2 part 3 part 4 ' },
    });
    expect(broken).toMatchObject({
      endpoint: 'UsersController.broken',
      outcome: 'failed',
      error: { message: 'trouble' },
    });
  });
});
