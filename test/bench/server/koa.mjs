import { createServer } from 'node:http';
import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa from 'koa';

export function createProgram({ before, after }, onAnswer) {
  const app = new Koa();
  for (const middleware of before) app.use(middleware);
  app.use(bodyParser({ jsonLimit: '1mb' }));
  for (const middleware of after) app.use(middleware);
  const router = new Router();
  router.post('/echo', (context) => {
    onAnswer();
    context.body = context.request.body;
  });
  router.get('/empty', (context) => {
    onAnswer();
    context.body = { ok: true };
  });
  app.use(router.routes());
  return createServer(app.callback());
}
