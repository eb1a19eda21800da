// A program that records: `node recorded.mjs <database as JSON> <options as JSON>`. It sends its port, and does what
// it is told by a message.
import { createRecorder } from '@recap/capture';
import { storageMiddleware } from '@recap/capture/express';
import express from 'express';

const [database, { drains, ...options }] = process.argv.slice(2).map((text) => JSON.parse(text));
const failures = [];
const recorder = createRecorder({
  database,
  onError: (error, where) => failures.push(`${where}: ${error.code} ${error.message}`),
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  ...options,
});
const app = express();
app.use(storageMiddleware({ recorder }));
app.use(express.json());
app.post('/echo/:id', (request, response) => response.json({ ...request.body, password: 'hunter2' }));
app.get('/stream/:id', (request, response) => {
  response.write('part one, ');
  setImmediate(() => response.end(`part two of ${request.params.id}`));
});
app.get('/pending', () => {});
app.get('/half', (_request, response) => response.write('one half'));
app.get('/answer-and-exit/:code', (request, response) => {
  response.json({ isAnswered: true });
  process.exit(Number(request.params.code));
});
app.get('/exit/:code', (request, response) => {
  response.on('finish', () => process.exit(Number(request.params.code)));
  response.end('bye');
});
app.get('/throw', (request, response) => {
  response.on('finish', () => {
    throw new Error('on purpose');
  });
  response.end('bye');
});
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

/** A program that goes on for a while when it is to end, as behind a load balancer. */
if (drains) process.once('SIGTERM', () => process.send({ isDraining: true }));

const told = {
  stats: async () => ({ ...recorder.stats(), failures }),
  ready: async () => {
    await recorder.ready();
    return told.stats();
  },
  flush: async () => {
    await recorder.flush();
    return told.stats();
  },
  close: async () => {
    await recorder.close({ timeoutMs: 500 });
    return told.stats();
  },
  /** The program has nothing more to do, and says nothing of that to the recorder. */
  leave: async () => {
    server.closeAllConnections();
    server.close();
    setImmediate(() => process.disconnect());
    return told.stats();
  },
};
process.on('message', async (ask) => {
  process.send(
    await told[ask]().catch((error) => ({
      error: `${error.code}: ${error.message}`,
      ...recorder.stats(),
      failures,
    })),
  );
});
