import Koa from 'koa';
import Router from '@koa/router';
import { bodyParser } from '@koa/bodyparser';
import { annotate, createRecorder } from '@recap/capture';
import { localhostOnly, storageMiddleware, storageRouter } from '@recap/capture/koa';

const recorder = createRecorder({
  database: { type: 'sqlite', path: process.env.RECAP_DATABASE ?? '.recap/recap.db' },
});

const app = new Koa();

// First, so that it sees bytes as they travel, and body parsers fail.
app.use(storageMiddleware({ recorder }));
// Answers below /storage. Whoever works on this machine may read everything: for development only.
app.use(storageRouter({ recorder, authenticate: localhostOnly({ ownerId: 'me', isAdmin: true }) }));

app.use(bodyParser());

// Stands in for your authentication. Recap takes `ctx.state.user.id` for the owner of the entry.
app.use((ctx, next) => {
  const name = ctx.get('x-user');
  if (name) ctx.state.user = { id: name };
  return next();
});

const router = new Router({ prefix: '/v1' });

router.post('/users', (ctx) => {
  const { name, plan = 'free' } = ctx.request.body;
  annotate(ctx, { plan });
  ctx.status = 201;
  ctx.body = { id: 1, name, plan };
});

router.get('/orders/:id', (ctx) => {
  if (ctx.params.id === '0') ctx.throw(409, 'Order 0 is broken on purpose.');
  ctx.body = { id: ctx.params.id, total: 12.5 };
});

app.use(router.routes());

// This example is for your machine; leave the address out to be reached from others.
const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    // Writes what is still queued, and closes the database.
    server.close(() => recorder.close());
    server.closeIdleConnections();
  });
}
