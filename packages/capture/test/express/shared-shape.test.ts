import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import express from 'express';
import express4 from 'express4';
import request from 'supertest';
import { storageMiddleware } from '../../src/express/storage-middleware';
import { openRecorder } from '../recording/open-recorder';

type Compare = (left: object, right: object) => boolean;

setFlagsFromString('--allow-natives-syntax');
const haveSameShape = runInThisContext('(left, right) => %HaveSameMap(left, right)') as Compare;
// Functions are compiled when they are called first.
haveSameShape({}, {});
setFlagsFromString('--no-allow-natives-syntax');

const V8_MAJOR = Number.parseInt(process.versions.v8, 10);

type Pair = readonly [express.Request, express.Response];

/** What a handler gets, of `count` requests at a time, after a first one by itself, from which the shape is learnt. */
async function pairsOf(app: express.Express, count: number): Promise<Pair[]> {
  const pairs: Pair[] = [];
  app.get('/items/:id', (req, res) => {
    pairs.push([req, res]);
    // They get more properties and another state once they are answered.
    if (pairs.length === count) for (const [, response] of pairs) response.json({});
  });
  app.get('/first', (_req, res) => void res.json({}));
  const server = app.listen(0);
  try {
    await request(server).get('/first');
    await Promise.all(Array.from({ length: count }, (_each, at) => request(server).get(`/items/${at}`)));
  } finally {
    server.close();
  }
  return pairs;
}

function shapesAmong(objects: readonly object[]): number {
  return objects.filter((each, at) => !objects.slice(0, at).some((other) => haveSameShape(each, other)))
    .length;
}

function recorded(framework: typeof express): express.Express {
  const app = framework();
  app.use(storageMiddleware({ recorder: openRecorder().recorder }));
  return app;
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('requests and responses of %s', (_name, framework) => {
  it('share a shape while they are recorded, which the engine alone gives them only from V8 13 on', async () => {
    const bare = await pairsOf(framework(), 12);
    const watched = await pairsOf(recorded(framework), 12);
    // The engine's table of shared shapes is small, and forgets some; that of an app is learnt from its first request.
    const isLonely = V8_MAJOR < 13;
    for (const side of [0, 1] as const) {
      expect(shapesAmong(bare.map((pair) => pair[side]))).toBeGreaterThan(isLonely ? 10 : 0);
      expect(shapesAmong(watched.map((pair) => pair[side]))).toBeLessThan(6);
    }
  });

  it('have the properties, in the order and with the attributes, that they have without a recorder', async () => {
    const describe = ([req, res]: Pair) =>
      [req, res].map((each) =>
        Reflect.ownKeys(each).map((key) => {
          const { value: _value, ...attributes } = Reflect.getOwnPropertyDescriptor(each, key)!;
          return [String(key), Object.keys(attributes), attributes.writable, attributes.enumerable];
        }),
      );
    const app = framework();
    app.use((_req, _res, next) => {
      next();
    });
    const [, bare] = await pairsOf(app, 2);
    const [, watched] = await pairsOf(recorded(framework), 2);
    expect(describe(watched!)).toEqual(describe(bare!));
  });
});

it('leaves a request alone that is a proxy of the program', async () => {
  const app = recorded(express);
  app.get('/', (_req, res) => {
    res.json({});
  });
  const deleted: PropertyKey[] = [];
  const server = createServer((req, res) => {
    const proxy = new Proxy(req, {
      deleteProperty: (target, key) => deleted.push(key) > 0 && Reflect.deleteProperty(target, key),
    });
    app(proxy as express.Request, res as express.Response);
  });
  await request(server).get('/').expect(200);
  await request(server).get('/').expect(200);
  expect(deleted).toEqual([]);
});
