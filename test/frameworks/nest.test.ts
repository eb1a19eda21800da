import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import type { Answer } from '../fidelity/orders-client';
import { nestProgram } from './nest-program';
import { exchange, openRecorder, parsed, sentBody, type Entry, type Opened } from './rig';

/** Request, and what is recorded of it. */
const REQUESTS: readonly (readonly [request: string, recorded: Partial<Entry>])[] = [
  ['GET /cats/7?verbose=1', { endpoint: '/cats/:id', storage_info: { route: 'one' } }],
  ['POST /cats\n{"name":"Tom"}', { endpoint: '/cats', storage_info: { route: 'create' } }],
  ['GET /cats/404', { endpoint: '/cats/:id', storage_info: { route: 'one' } }],
  // Ended by a pipe and by a guard, before the method was called.
  ['GET /cats/no-number', { endpoint: '/cats/:id', storage_info: {} }],
  ['GET /cats/x/refused', { endpoint: '/cats/x/refused', storage_info: {} }],
  ['GET /cats/x/guarded', { endpoint: '/cats/x/guarded', storage_info: { route: 'guarded' } }],
  ['GET /cats/x/filtered', { endpoint: '/cats/x/filtered', storage_info: { route: 'filtered' } }],
  [
    'GET /cats/x/broken',
    {
      endpoint: '/cats/x/broken',
      storage_info: { route: 'broken' },
      outcome: 'failed',
      error: { name: 'RangeError', message: 'caught by nobody' },
    },
  ],
  ['GET /cats/x/own/ann', { endpoint: '/cats/x/own/:name', storage_info: { route: 'own' } }],
  ['GET /cats/x/passthrough', { endpoint: '/cats/x/passthrough', storage_info: { route: 'passthrough' } }],
  ['GET /cats/x/moved', { endpoint: '/cats/x/moved', storage_info: { route: 'moved' } }],
  ['GET /cats/x/file', { endpoint: '/cats/x/file', storage_info: { route: 'file' } }],
  ['GET /cats/x/events', { endpoint: '/cats/x/events', storage_info: { route: 'events' } }],
  ['GET /nowhere', { endpoint: null, storage_info: {} }],
];

const portOf = (app: INestApplication): number =>
  ((app.getHttpServer() as { address(): unknown }).address() as AddressInfo).port;

describe('NestJS', () => {
  let opened: Opened;
  let app: INestApplication | undefined;
  let bare: Answer[];

  beforeAll(async () => {
    const program = await nestProgram(undefined, {});
    bare = await exchange(
      portOf(program),
      REQUESTS.map(([request]) => request),
    );
    await program.close();
  });
  beforeEach(async () => {
    opened = await openRecorder();
  });
  afterEach(async () => {
    await app?.close();
    await opened.close();
  });

  it('is version 11, and answers what the program says', () => {
    const path = join(__dirname, 'node_modules/@nestjs/core/package.json');
    expect((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version).toMatch(/^11\./);
    expect(bare.map(({ status }) => status)).toEqual([
      200, 202, 404, 400, 403, 200, 418, 500, 203, 200, 307, 200, 200, 404,
    ]);
  });

  it.each([
    ['above', 'on the app'],
    ['below', 'on the app'],
    ['below', 'by a module'],
  ] as const)(
    'answers the same with the decorator %s the route’s and the middleware mounted %s, and every exchange is one entry',
    async (place, mount) => {
      const { recorder, errors, entries } = opened;
      app = await nestProgram(place, { recorder }, { recorder, metadata: { from: 'middleware' } }, mount);
      const answers = await exchange(
        portOf(app),
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
        expect(sentBody(entry.response.data)).toEqual(parsed(bare[at]!.text));
      });
      expect(exchanges[1]!.request.data).toEqual({ name: 'Tom' });
    },
  );

  it('records a decorated provider as a call within the exchange of the route', async () => {
    const { recorder, entries } = opened;
    app = await nestProgram('below', { recorder }, { recorder });
    await exchange(portOf(app), ['GET /cats/7', 'GET /cats/404']);
    const [first, found, second, missing] = await entries();
    expect(found).toMatchObject({
      endpoint: 'CatService.find',
      parent_id: first!.id,
      storage_info: { step: 'find' },
      request: { data: [7] },
      response: { data: { id: 7, kind: 'tabby' } },
    });
    expect(missing).toMatchObject({
      parent_id: second!.id,
      outcome: 'failed',
      error: { name: 'NotFoundException', message: 'no such cat' },
    });
  });

  it.each(['above', 'below'] as const)(
    'records without a middleware, by the decorator %s alone',
    async (place) => {
      const { recorder, errors, entries } = opened;
      app = await nestProgram(place, { recorder });
      const requests = [
        'GET /cats/x/own/ann',
        'GET /cats/x/broken',
        'POST /cats\n{"name":"Tom"}',
        'GET /cats/x/events',
      ];
      const answers = await exchange(portOf(app), requests);
      const at = requests.map((request) => REQUESTS.findIndex(([each]) => each === request));
      expect(answers.map(({ wire }) => wire)).toEqual(at.map((index) => bare[index]!.wire));
      const [own, broken, create, events] = await entries();
      expect(errors).toEqual([]);
      // A method that takes the request or the response is known as a handler.
      expect(own).toMatchObject({ method: 'GET', endpoint: '/cats/x/own/:name', status: 203 });
      expect(broken).toMatchObject({
        method: 'GET',
        endpoint: '/cats/x/broken',
        status: 500,
        outcome: 'failed',
      });
      // One that takes neither is a method like any other.
      expect(create).toMatchObject({
        method: null,
        endpoint: 'CatsController.create',
        request: { data: [{ name: 'Tom' }] },
        response: { data: { made: 'Tom' } },
      });
      expect(events).toMatchObject({ endpoint: 'CatsController.events', response: { data: '[Observable]' } });
    },
  );
});
