import Router from '@koa/router';
import type { RequestHandler } from 'express';
import koaMount from 'koa-mount';
import type { FidelityCase } from '../fidelity-case';

const topic = 'frameworks';

/** Programs whose shape is the point: what is mounted where. */
export const appCases: readonly FidelityCase[] = [
  {
    name: 'A route with parameters',
    topic,
    request: { path: '/orders/42?x=1' },
    express: (app) => app.get('/orders/:id', (request, response) => response.json(request.params)),
    koa: (app) => {
      app.use(new Router().get('/orders/:id', (context) => (context.body = context['params'])).routes());
    },
    records: [{ endpoint: '/orders/:id' }],
  },
  {
    name: 'A sub-app',
    topic,
    request: { path: '/sub/thing' },
    express: (app, { express }) => {
      const sub = express();
      sub.set('env', 'production');
      sub.get('/:name', (request, response) =>
        response.send(`sub ${request.params.name} ${request.baseUrl}`),
      );
      app.use('/sub', sub);
    },
    koa: (app, { Koa }) => {
      const sub = new Koa();
      sub.use((context) => (context.body = `sub ${context.path}`));
      app.use(koaMount('/sub', sub));
    },
  },
  {
    name: 'A sub-app that falls through',
    topic,
    request: { path: '/sub/thing' },
    express: (app, { express }) => {
      const sub = express();
      sub.set('env', 'production');
      sub.use((_request, _response, next) => next());
      app.use('/sub', sub);
      app.use((_request, response) => response.send('after the sub-app'));
    },
    koa: (app, { Koa }) => {
      const sub = new Koa();
      sub.use((_context, next) => next());
      app.use(koaMount('/sub', sub));
      app.use((context) => (context.body = 'after the sub-app'));
    },
  },
  {
    name: 'Recap within a sub-app',
    topic,
    mountsItself: true,
    request: { path: '/sub/thing' },
    express: (app, { express, mount }) => {
      const sub = express();
      sub.set('env', 'production');
      mount(sub);
      sub.get('/thing', (_request, response) => response.send('recorded below'));
      app.use('/sub', sub);
    },
    koa: (app, { Koa, mount }) => {
      const sub = new Koa();
      mount(sub);
      sub.use((context) => (context.body = 'recorded below'));
      app.use(koaMount('/sub', sub));
    },
  },
  {
    name: 'Recap within a sub-app that falls through',
    topic,
    mountsItself: true,
    request: { path: '/sub/thing' },
    express: (app, { express, mount }) => {
      const sub = express();
      sub.set('env', 'production');
      mount(sub);
      app.use('/sub', sub);
      app.use((_request, response) => response.send('answered above'));
    },
    koa: (app, { Koa, mount }) => {
      const sub = new Koa();
      mount(sub);
      app.use(koaMount('/sub', sub));
      app.use((context) => (context.body = 'answered above'));
    },
  },
  {
    name: 'Recap mounted twice',
    topic,
    mountsItself: true,
    express: (app, { mount }) => {
      mount(app);
      mount(app);
      app.use((_request, response) => response.send('once'));
    },
    koa: (app, { mount }) => {
      mount(app);
      mount(app);
      app.use((context) => (context.body = 'once'));
    },
  },
  {
    name: 'Recap on the app and on a router below',
    topic,
    mountsItself: true,
    request: { path: '/api/thing' },
    express: (app, { express, mount }) => {
      mount(app);
      const router = express.Router();
      mount(router);
      router.get('/thing', (_request, response) => response.json({ once: true }));
      app.use('/api', router);
    },
    koa: (app, { Koa, mount }) => {
      mount(app);
      const sub = new Koa();
      mount(sub);
      sub.use((context) => (context.body = { once: true }));
      app.use(koaMount('/api', sub));
    },
  },
  {
    name: 'An app that is called as a function',
    topic,
    express: (app, { express }) => {
      const other = express();
      other.set('env', 'production');
      other.get('/', (_request, response) => response.send('the other app'));
      app.use((request, response) => (other as unknown as (...args: unknown[]) => void)(request, response));
    },
    koa: (app, { Koa }) => {
      const other = new Koa();
      other.use((context) => (context.body = 'the other app'));
      app.use((context) => {
        context.respond = false;
        return other.callback()(context.req, context.res);
      });
    },
  },
  {
    name: 'A body parser and its error',
    topic,
    request: { method: 'POST', headers: [['Content-Type', 'application/json']], body: '{"a":' },
    express: (app, { express }) => {
      app.use(express.json());
      app.use((request, response) => response.json(request.body));
    },
    records: [{ status: 400, requestBody: '{"a":' }],
  },
  {
    name: 'A body parser and a second reader',
    topic,
    request: { method: 'POST', headers: [['Content-Type', 'application/json']], body: '{"a":1}' },
    express: (app, { express, probe }) => {
      app.use(express.raw({ type: '*/*' }));
      app.use((request, response) => {
        request.on('data', () => probe(request).note('more data'));
        request.on('end', () => probe(request).note('a second end'));
        response.send(request.body);
      });
    },
    records: [{ requestBody: '{"a":1}' }],
  },
  {
    name: 'Recap after the body parser',
    topic,
    mountsItself: true,
    request: { method: 'POST', headers: [['Content-Type', 'application/json']], body: '{"a":1}' },
    express: (app, { express, mount }) => {
      app.use(express.json());
      mount(app);
      app.use((request, response) => response.json(request.body));
    },
    records: [{ requestBody: '{"a":1}' }],
  },
  {
    name: 'Static files',
    topic,
    request: { path: '/page.html' },
    express: (app, { express, files }) => app.use(express.static(files, { maxAge: 1_000 })),
  },
  {
    name: 'Static files that redirect and miss',
    topic,
    request: { path: '/missing/%2e%2e/x' },
    express: (app, { express, files }) => app.use(express.static(files)),
  },
  {
    name: 'OPTIONS by the router',
    topic,
    request: { method: 'OPTIONS', path: '/thing' },
    express: (app) =>
      app
        .route('/thing')
        .get((_request, response) => response.end())
        .post((_request, response) => response.end()),
    koa: (app) => {
      const router = new Router();
      router.get('/thing', () => undefined).post('/thing', () => undefined);
      app.use(router.routes()).use(router.allowedMethods());
    },
  },
  {
    name: 'A parameter check that fails',
    topic,
    request: { path: '/items/x' },
    express: (app) => {
      app.param('id', (_request, _response, next) => next(new Error('no such id')));
      app.get('/items/:id', (_request, response) => response.end());
    },
    records: [{ status: 500 }],
  },
  {
    name: 'Several handlers, leaving a route and a router',
    topic,
    express: (app, { express, probe }) => {
      const router = express.Router();
      const step =
        (name: string, word?: 'route' | 'router'): RequestHandler =>
        (request, _response, next) => {
          probe(request).note(name);
          next(word);
        };
      router.get('/', step('one'), step('two', 'route'), step('never'));
      router.get('/', step('three', 'router'));
      app.use(router);
      app.use((_request, response) => response.send('after the router'));
    },
  },
];
