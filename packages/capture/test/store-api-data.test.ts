import 'reflect-metadata';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import Router from '@koa/router';
import express from 'express';
import Koa from 'koa';
import request from 'supertest';
import { storageMiddleware as expressMiddleware } from '../src/express';
import { storageMiddleware as koaMiddleware } from '../src/koa';
import { STORE_API_DATA, storeApiData } from '../src/store-api-data';
import { openRecorder, requestData, responseData } from './recording/open-recorder';

/** A recorder, and a controller whose methods record to it. */
function openController() {
  const opened = openRecorder();
  const { recorder } = opened;

  class Service {
    @storeApiData({ recorder, metadata: { step: 'embed' } })
    async embed(text: string) {
      await Promise.resolve();
      return { vector: [text.length] };
    }

    @storeApiData({ recorder })
    fail(): never {
      throw new RangeError('no luck');
    }

    @storeApiData({ recorder })
    static double(value: number) {
      return value * 2;
    }

    @storeApiData({ recorder })
    keep(password: { password: string }, self: unknown) {
      return { self: this === self, given: password };
    }
  }
  const service = new Service();

  class AiController {
    readonly answer = 42;

    @storeApiData({ recorder, ttlDays: 7, metadata: { model: 'gpt-4' }, storageType: 'response' })
    generate(_request: express.Request, response: express.Response) {
      response.json({ text: 'generated', answer: this.answer });
    }

    @storeApiData({ recorder })
    throws(): never {
      throw new RangeError('handler trouble');
    }

    @storeApiData({ recorder })
    async rejects(): Promise<never> {
      await Promise.resolve();
      throw new RangeError('handler trouble');
    }

    @storeApiData({ recorder })
    async chain(_request: express.Request, response: express.Response) {
      await service.embed('one');
      await service.embed('three');
      response.json({ ok: true });
    }

    @storeApiData({ recorder, metadata: { framework: 'koa' } })
    async onKoa(context: Koa.Context, _next: Koa.Next) {
      await Promise.resolve();
      context.body = { koa: true };
    }
  }
  return { ...opened, Service, service, controller: new AiController(), AiController };
}

/** An error handler without Express's report on the console. */
const quietly: express.ErrorRequestHandler = (_error, _request, response, _next) => {
  response.sendStatus(500);
};

describe('@storeApiData', () => {
  it('joins the entry of the middleware, and its options win', async () => {
    const { recorder, clock, controller, entry } = openController();
    const app = express();
    app.use(expressMiddleware({ recorder, ttlDays: 1, metadata: { model: 'other', team: 'a' } }));
    app.get('/generate', (req, res) => {
      controller.generate(req, res);
    });
    await request(app).get('/generate').expect(200, { text: 'generated', answer: 42 });
    const stored = await entry();
    expect(stored).toMatchObject({
      type: 'response',
      endpoint: '/generate',
      metadata: { model: 'gpt-4', team: 'a' },
      expiresAt: clock.now() + 7 * 86_400_000,
    });
    expect(stored.warnings.map(({ code }) => code)).toEqual(['DUPLICATE_METADATA']);
  });

  it('records by itself on Express when no middleware does, with the route’s template', async () => {
    const { controller, entry } = openController();
    const app = express();
    app.use(express.json());
    const router = express.Router();
    router.post('/generate/:id', (req, res) => {
      controller.generate(req, res);
    });
    app.use('/api', router);
    await request(app).post('/api/generate/5').send({ prompt: 'x' }).expect(200);
    expect(await entry()).toMatchObject({ endpoint: '/api/generate/:id', status: 200, outcome: 'completed' });
  });

  it.each([['throws'], ['rejects']] as const)(
    'records by itself what a handler fails with when it %s',
    async (name) => {
      const { controller, entry } = openController();
      const app = express();
      app.get('/fails', (req, res) => (controller[name] as express.RequestHandler)(req, res, () => {}));
      app.use(quietly);
      await request(app).get('/fails').expect(500);
      expect(await entry()).toMatchObject({
        status: 500,
        outcome: 'failed',
        errorName: 'RangeError',
        errorMessage: 'handler trouble',
      });
    },
  );

  it('notes the error that a handler passes on when no middleware watches', async () => {
    const { recorder, entry } = openRecorder();
    class Controller {
      @storeApiData({ recorder })
      passesOn(_request: express.Request, _response: express.Response, next: express.NextFunction) {
        next(new RangeError('passed on'));
      }
    }
    const controller = new Controller();
    const app = express();
    app.set('env', 'test');
    app.get('/pass', (req, res, next) => {
      controller.passesOn(req, res, next);
    });
    await request(app).get('/pass').expect(500);
    expect(await entry()).toMatchObject({ outcome: 'failed', errorName: 'RangeError', endpoint: '/pass' });
  });

  it('records by itself on Koa', async () => {
    const { controller, entry } = openController();
    const app = new Koa();
    const router = new Router();
    router.get('/k/:id', (context, next) => controller.onKoa(context, next));
    app.use(router.routes());
    await request(createServer(app.callback())).get('/k/1').expect(200, { koa: true });
    const stored = await entry();
    expect(stored).toMatchObject({ endpoint: '/k/:id', metadata: { framework: 'koa' } });
    expect(responseData(stored)).toEqual({ koa: true });
  });

  it('joins the entry of the middleware on Koa', async () => {
    const { recorder, controller, entry } = openController();
    const app = new Koa();
    app.use(koaMiddleware({ recorder }));
    app.use((context, next) => controller.onKoa(context, next));
    await request(createServer(app.callback())).get('/k').expect(200);
    expect(await entry()).toMatchObject({ metadata: { framework: 'koa' }, endpoint: null });
  });

  it('stores the parsed body, marked as such, when the bytes went by before it', async () => {
    const { recorder, entry } = openRecorder();
    const app = express();
    app.use(express.json());
    app.post('/late', expressMiddleware({ recorder }), (_req, res) => {
      res.json({});
    });
    await request(app)
      .post('/late')
      .send({ a: [1, 2] })
      .expect(200);
    const stored = await entry();
    expect(requestData(stored)).toEqual({ a: [1, 2] });
    expect(stored).toMatchObject({
      endpoint: '/late',
      requestDetails: { source: 'parsed' },
      requestOriginalBytes: 11,
    });
  });

  it('makes further decorated calls within an exchange entries of their own, with their parent and its session', async () => {
    const { recorder, controller, entries } = openController();
    const app = express();
    app.use(expressMiddleware({ recorder, owner: () => 'ann' }));
    app.get('/chain', (req, res) => controller.chain(req, res));
    await request(app).get('/chain').expect(200);
    const stored = await entries();
    const parent = stored.find(({ method }) => method === 'GET');
    const calls = stored.filter(({ method }) => method === null);
    expect(calls).toHaveLength(2);
    for (const call of calls) {
      expect(call).toMatchObject({
        endpoint: 'Service.embed',
        parentId: parent?.id,
        sessionId: parent?.sessionId,
        owner: 'ann',
        metadata: { step: 'embed' },
      });
    }
    expect(calls.map(requestData).sort()).toEqual([['one'], ['three']]);
    expect(calls.map(responseData)).toContainEqual({ vector: [5] });
  });

  it('records what a decorated service streams into the answer, as a call of the exchange', async () => {
    const { recorder, entries } = openRecorder();
    class Assistant {
      @storeApiData({ recorder })
      async *words() {
        await Promise.resolve();
        yield 'one ';
        yield 'two';
      }
    }
    const assistant = new Assistant();
    class Controller {
      @storeApiData({ recorder, metadata: { route: 'stream' } })
      stream(_request: express.Request, response: express.Response) {
        response.type('text/plain');
        return pipeline(assistant.words(), response);
      }
    }
    const controller = new Controller();
    const app = express();
    app.use(expressMiddleware({ recorder, owner: () => 'ann' }));
    app.get('/stream', (req, res) => controller.stream(req, res));
    await request(app).get('/stream').expect(200, 'one two');
    const stored = await entries();
    const exchange = stored.find(({ method }) => method === 'GET');
    const call = stored.find(({ method }) => method === null);
    expect(exchange).toMatchObject({ endpoint: '/stream', metadata: { route: 'stream' } });
    expect(call).toMatchObject({ endpoint: 'Assistant.words', parentId: exchange?.id, owner: 'ann' });
    expect([responseData(exchange!), responseData(call!)]).toEqual(['one two', 'one two']);
  });

  it('hands a stream on untouched when its call joins the entry of the exchange', async () => {
    const { recorder, entry } = openRecorder();
    class Files {
      @storeApiData({ recorder, metadata: { file: true } })
      open() {
        return Readable.from(['content']);
      }
    }
    const app = express();
    app.use(expressMiddleware({ recorder }));
    app.get('/file', (_req, res) => {
      const stream = new Files().open();
      expect(Object.getOwnPropertyNames(stream)).not.toContain('emit');
      stream.pipe(res);
    });
    await request(app).get('/file').expect(200);
    expect(await entry()).toMatchObject({ endpoint: '/file', metadata: { file: true } });
  });

  it('lets the first decorated call join when the handler itself is not decorated', async () => {
    const { recorder, service, entry } = openController();
    const app = express();
    app.use(expressMiddleware({ recorder }));
    app.get('/plain', async (_req, res) => {
      res.json(await service.embed('four'));
    });
    await request(app)
      .get('/plain')
      .expect(200, { vector: [4] });
    expect(await entry()).toMatchObject({ endpoint: '/plain', metadata: { step: 'embed' } });
  });

  it('records arguments and result of any other method, and changes neither result, this nor error', async () => {
    const { Service, service, entries } = openController();
    const secret = { password: 'PLANTED' };
    expect(service.keep(secret, service)).toEqual({ self: true, given: secret });
    expect(Service.double(21)).toBe(42);
    await expect(service.embed('ab')).resolves.toEqual({ vector: [2] });
    expect(() => service.fail()).toThrow(RangeError);
    const stored = await entries();
    expect(stored.map(({ endpoint }) => endpoint).sort()).toEqual([
      'Service.double',
      'Service.embed',
      'Service.fail',
      'Service.keep',
    ]);
    expect(stored.find(({ endpoint }) => endpoint === 'Service.fail')).toMatchObject({
      outcome: 'failed',
      errorName: 'RangeError',
      errorMessage: 'no luck',
      method: null,
      status: null,
      path: null,
    });
    expect(JSON.stringify(stored.map((each) => [each, requestData(each), responseData(each)]))).not.toContain(
      'PLANTED',
    );
  });

  it('keeps name, length and metadata of the method, and offers its own options as metadata', () => {
    const { AiController } = openController();
    const { generate } = AiController.prototype as { generate: (...args: never[]) => unknown };
    expect(generate).toHaveLength(2);
    expect(generate.name).toBe('generate');
    expect(Reflect.getMetadata(STORE_API_DATA, generate)).toMatchObject({ ttlDays: 7 });
  });

  it('works below and above another decorator', () => {
    const route = (path: string) => (_target: object, _key: string, descriptor: PropertyDescriptor) => {
      Reflect.defineMetadata('path', path, descriptor.value as object);
    };
    class Controller {
      @route('/above')
      @storeApiData()
      above() {
        return 1;
      }

      @storeApiData()
      @route('/below')
      below() {
        return 2;
      }
    }
    const { above, below } = Controller.prototype as Record<'above' | 'below', () => number>;
    expect(Reflect.getMetadata('path', above)).toBe('/above');
    expect(Reflect.getMetadata('path', below)).toBe('/below');
  });

  it('leaves a lazy thenable alone', async () => {
    const { recorder, entry } = openRecorder();
    let runs = 0;
    const lazy = { then: () => (runs += 1) };
    class Repository {
      @storeApiData({ recorder })
      query() {
        return lazy;
      }
    }
    expect(new Repository().query()).toBe(lazy);
    await entry();
    expect(runs).toBe(0);
  });

  it('refuses wrong options by name when the class is defined', () => {
    expect(() => storeApiData({ ttlDays: 0 })).toThrow(/ttlDays/);
    expect(() => storeApiData({ ttl: 3 } as never)).toThrow(/ttl/);
  });

  it('does not record what a middleware left out', async () => {
    const { recorder, controller, service, entries } = openController();
    const app = express();
    app.use(expressMiddleware({ recorder, exclude: ['/private/**'] }));
    app.get('/private/x', async (req, res) => {
      await service.embed('one');
      controller.generate(req, res);
    });
    await request(app).get('/private/x').expect(200);
    expect(await entries()).toEqual([]);
  });
});
