import { createServer, type Server } from 'node:http';
import bodyParser from '@koa/bodyparser';
import Router from '@koa/router';
import express from 'express';
import express4 from 'express4';
import Koa from 'koa';
import mount from 'koa-mount';
import koa2 from 'koa2';
import { annotate } from '../../src/annotate';
import { storageMiddleware as expressMiddleware } from '../../src/express/storage-middleware';
import { storageMiddleware as koaMiddleware } from '../../src/koa/storage-middleware';
import type { CaptureOptions } from '../../src/recorder/capture-options';
import type { Recorder } from '../../src/recorder/recorder';

/** One program in each framework's words: the same routes, the same answers. */
export type BuildProgram = (recorder: Recorder, options?: CaptureOptions) => Server;

export const PROGRAMS: readonly (readonly [name: string, build: BuildProgram])[] = [
  ['Express 5', (recorder, options) => expressProgram(express, recorder, options)],
  ['Express 4', (recorder, options) => expressProgram(express4, recorder, options)],
  ['Koa 3', (recorder, options) => koaProgram(Koa, recorder, options)],
  ['Koa 2', (recorder, options) => koaProgram(koa2, recorder, options)],
];

function expressProgram(framework: typeof express, recorder: Recorder, options: CaptureOptions = {}): Server {
  const app = framework();
  app.set('env', 'test');
  app.use(expressMiddleware({ recorder, ...options }));
  app.use(framework.json({ limit: '10mb' }));
  app.use((request, _response, next) => {
    // Authentication after Recap.
    const user = request.get('x-user');
    if (user !== undefined) (request as { user?: unknown }).user = { id: user };
    next();
  });
  app.post('/echo', (request, response) => {
    response.json(request.body);
  });
  app.get('/orders/:id', (request, response) => {
    annotate(request, { orderId: request.params.id });
    response.json({ id: request.params.id });
  });
  app.get('/boom', () => {
    throw new RangeError('sync trouble');
  });
  app.get('/stream', (_request, response) => {
    response.type('text/plain');
    response.write('one ');
    response.write(Buffer.from('two '));
    response.end('three');
  });
  app.get('/empty', (_request, response) => {
    response.status(204).end();
  });
  app.get('/hang', (_request, response) => {
    response.on('close', () => app.emit('hung-up'));
    app.emit('hanging');
  });
  const items = framework.Router();
  items.get('/items/:itemId', (request, response) => {
    response.json({ item: request.params.itemId });
  });
  items.get('/broken/:itemId', () => {
    throw new Error('within');
  });
  items.get('/passed/:itemId', (_request, _response, next) => {
    next();
  });
  const orgs = framework.Router();
  orgs.use('/orgs/:orgId', items);
  app.use('/v1/:tenant', orgs);
  const sub = framework();
  sub.get('/:name', (request, response) => {
    response.send(request.params.name);
  });
  app.use('/sub', sub);
  return createServer(app);
}

function koaProgram(Framework: typeof Koa, recorder: Recorder, options: CaptureOptions = {}): Server {
  const app = new Framework();
  app.silent = true;
  app.use(koaMiddleware({ recorder, ...options }));
  app.use(bodyParser({ jsonLimit: '10mb' }));
  app.use(async (context, next) => {
    const user = context.get('x-user');
    if (user !== '') context.state['user'] = { id: user };
    await next();
  });
  const router = new Router();
  router.post('/echo', (context) => {
    context.body = (context.request as { body?: unknown }).body;
  });
  router.get('/orders/:id', (context) => {
    annotate(context, { orderId: context['params'].id });
    context.body = { id: context['params'].id };
  });
  router.get('/boom', () => {
    throw new RangeError('sync trouble');
  });
  router.get('/stream', (context) => {
    context.respond = false;
    context.res.statusCode = 200;
    context.res.setHeader('content-type', 'text/plain; charset=utf-8');
    context.res.write('one ');
    context.res.write(Buffer.from('two '));
    context.res.end('three');
  });
  router.get('/empty', (context) => {
    context.status = 204;
  });
  router.get('/hang', (context) => {
    context.respond = false;
    context.res.on('close', () => app.emit('hung-up'));
    app.emit('hanging');
  });
  const items = new Router({ prefix: '/v1/:tenant/orgs/:orgId' });
  items.get('/items/:itemId', (context) => {
    context.body = { item: context['params'].itemId };
  });
  items.get('/broken/:itemId', () => {
    throw new Error('within');
  });
  items.get('/passed/:itemId', async (_context, next) => {
    await next();
  });
  app.use(router.routes()).use(items.routes());
  const sub = new Router();
  sub.get('/:name', (context) => {
    context.body = context['params'].name;
  });
  app.use(mount('/sub', sub.routes()));
  return createServer(app.callback());
}
