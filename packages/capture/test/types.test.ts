import type express from 'express';
import type Koa from 'koa';
import { storageMiddleware as expressMiddleware } from '../src/express';
import { storageMiddleware as koaMiddleware } from '../src/koa';

interface Authenticated extends express.Request {
  user?: { id: string; plan: string };
}

describe('types', () => {
  it('fit the frameworks’ own, with functions that name the program’s types', () => {
    const options = {
      owner: (request: Authenticated) => request.user?.id,
      metadata: (request: Authenticated) => ({ plan: request.user?.plan }),
    };
    const onExpress: express.RequestHandler = expressMiddleware(options);
    const onKoa: Koa.Middleware = koaMiddleware({ owner: (context: Koa.Context) => context.get('x-user') });
    expect([typeof onExpress, typeof onKoa]).toEqual(['function', 'function']);
  });
});
