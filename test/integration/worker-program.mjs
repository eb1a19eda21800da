// A program that records with a worker: `node worker-program.mjs <database as JSON> <options as JSON> [handles]`.
// It sends its port, and does what it is told by a message. With `handles` it has a listener for SIGTERM.
import worker from 'node:worker_threads';
import { createRequire } from 'node:module';
import { createRecorder } from '@recap/capture';
import { storageMiddleware } from '@recap/capture/express';
import express from 'express';

const [database, options] = process.argv.slice(2, 4).map((text) => JSON.parse(text));
/** The threads that have been started, to be killed from outside as an operator or a bug would. */
const threads = [];
const { Worker } = worker;
createRequire(import.meta.url)('node:worker_threads').Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    threads.push(this);
  }
};

const deaths = [];
/** A program that ends by itself when it is told to. */
if (process.argv[4] === 'handles') process.on('SIGTERM', () => setTimeout(() => process.exit(9), 20));
const recorder = createRecorder({
  database,
  onError: (error, where) => deaths.push(`${where}: ${error.message}`),
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  ...options,
});
const app = express();
app.use(storageMiddleware({ recorder }));
app.use(express.json());
app.post('/echo/:id', (request, response) => response.json({ ...request.body, password: 'hunter2' }));
app.post('/exit/:code', (request, response) => {
  response.json({ ends: true });
  response.once('close', () => setImmediate(() => process.exit(Number(request.params.code))));
});
app.post('/throw', (_request, response) => {
  response.json({ ends: true });
  response.once('close', () =>
    setImmediate(() => {
      throw new Error('nobody catches this');
    }),
  );
});
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

const told = {
  kill: async () => {
    await threads.at(-1)?.terminate();
    return { threads: threads.length };
  },
  stats: async () => ({ ...recorder.stats(), threads: threads.length, deaths }),
  flush: async () => {
    await recorder.flush();
    return told.stats();
  },
  /** The program has nothing more to do, and says nothing of that to the recorder. */
  leave: async () => {
    server.closeAllConnections();
    server.close();
    setImmediate(() => process.disconnect());
    return {};
  },
};
process.on('message', async (ask) => {
  process.send(await told[ask]().catch((error) => ({ error: String(error), stats: recorder.stats() })));
});
