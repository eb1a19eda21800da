import express from 'express';
import express4 from 'express4';
import request from 'supertest';
import { storageMiddleware } from '../../src/express/storage-middleware';
import { storeApiData } from '../../src/store-api-data';
import { openRecorder } from '../recording/open-recorder';

const FRAMEWORKS: readonly (readonly [string, typeof express])[] = [
  ['Express 5', express],
  ['Express 4', express4],
];

describe.each(FRAMEWORKS)('the endpoint on %s', (_name, framework) => {
  function openApp() {
    const { recorder, entry } = openRecorder();
    const app = framework();
    app.use(storageMiddleware({ recorder }));
    const router = () => {
      const made = framework.Router();
      made.get('/item/:id', (_request, response) => {
        response.json({});
      });
      return made;
    };
    return { app, router, entry };
  }
  const pass: express.RequestHandler = (_request, _response, next) => {
    next();
  };

  // First, since from the first recorded request on all of them are watched from their start.
  it('is found by a decorator alone, through routers that are mounted without a path', async () => {
    const { recorder, entry } = openRecorder();
    class Controller {
      @storeApiData({ recorder })
      get(_request: express.Request, response: express.Response) {
        response.json({});
      }
    }
    const inner = framework.Router();
    inner.get('/item/:id', (req, res) => new Controller().get(req, res));
    const outer = framework.Router();
    outer.use('/:tenant', inner);
    const app = framework();
    app.use(outer);
    await request(app).get('/acme/item/7').expect(200);
    expect((await entry()).endpoint).toBe('/:tenant/item/:id');
  });

  it.each([
    ['a router', () => framework.Router()],
    ['a handler', () => pass],
  ])('leaves out %s that was passed by at a beginning of the path', async (_what, passedBy) => {
    const { app, router, entry } = openApp();
    app.use('/v1', passedBy());
    app.use('/v1/orders', router());
    await request(app).get('/v1/orders/item/7').expect(200);
    expect((await entry()).endpoint).toBe('/v1/orders/item/:id');
  });

  it('leaves out a mount with a parameter that was passed by', async () => {
    const { app, router, entry } = openApp();
    app.use('/:tenant', pass);
    app.use('/v1/orders', router());
    await request(app).get('/v1/orders/item/7').expect(200);
    expect((await entry()).endpoint).toBe('/v1/orders/item/:id');
  });

  it('keeps both of two mounts that repeat each other', async () => {
    const { app, router, entry } = openApp();
    const outer = framework.Router();
    outer.use('/v1', router());
    app.use('/v1', outer);
    await request(app).get('/v1/v1/item/7').expect(200);
    expect((await entry()).endpoint).toBe('/v1/v1/item/:id');
  });

  it.each([
    ['without a path', (outer: express.Router, inner: express.Router) => outer.use(inner)],
    ['at its root', (outer: express.Router, inner: express.Router) => outer.use('/', inner)],
  ])('keeps the mount of a router that holds another %s', async (_what, nest) => {
    const { app, router, entry } = openApp();
    const outer = framework.Router();
    nest(outer, router());
    app.use('/:tenant', outer);
    await request(app).get('/acme/item/7').expect(200);
    expect((await entry()).endpoint).toBe('/:tenant/item/:id');
  });

  it('names the second of two mounts at one path', async () => {
    const { app, router, entry } = openApp();
    app.use('/:tenant', framework.Router());
    app.use('/v1', router());
    await request(app).get('/v1/item/7').expect(200);
    expect((await entry()).endpoint).toBe('/v1/item/:id');
  });
});
