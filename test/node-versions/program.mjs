/*
 * node program.mjs <express | koa> <options of createRecorder as JSON>
 * An API that is recorded in a worker thread; sends itself one request, and prints what was recorded of it and how.
 */
import { createRecorder } from '@recap/capture';

const [framework, options] = process.argv.slice(2);
const recorder = createRecorder(JSON.parse(options));
const { storageMiddleware, storageRouter, localhostOnly } = await import(`@recap/capture/${framework}`);
const routerOptions = { recorder, authenticate: localhostOnly({ ownerId: 'me', isAdmin: true }) };
const app = framework === 'express' ? await expressApp() : await koaApp();

async function expressApp() {
  const { default: express } = await import('express');
  return express()
    .use(storageMiddleware({ recorder }))
    .use('/storage', storageRouter(routerOptions))
    .use(express.json())
    .post('/echo', (request, response) => response.json(request.body));
}

async function koaApp() {
  const { default: Koa } = await import('koa');
  const { bodyParser } = await import('@koa/bodyparser');
  return new Koa()
    .use(storageMiddleware({ recorder }))
    .use(storageRouter(routerOptions))
    .use(bodyParser())
    .use((context) => {
      context.body = context.request.body;
    });
}

const server = app.listen(0, '127.0.0.1', async () => {
  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json' };
    const url = `http://127.0.0.1:${server.address().port}${path}`;
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.json();
  };
  const text = 'x'.repeat(4_000);
  const answer = await post('/echo', { text, password: 'hunter2' });
  await recorder.flush();
  const { data } = await post('/storage/query', { path: '/echo' });
  const { internalErrors, worker } = recorder.stats();
  const { version } = process;
  console.log(
    JSON.stringify({ version, isEcho: answer.text === text, items: data.items, internalErrors, worker }),
  );
  await recorder.close();
  server.close();
  server.closeAllConnections();
});
