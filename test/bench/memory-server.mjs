// The program whose memory is measured: `node memory-server.mjs <bare | recap> <folder>`. It sends { port }, and
// answers 'peak' with the most memory it had since it was asked last, and 'finish' with what was stored.
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express from 'express';

const [variant, folder] = process.argv.slice(2);
const CHUNK = Buffer.alloc(64 * 1024, 'some text that goes on and on. ');
const MIB = 1024 * 1024;

let recorder;
const app = express();
if (variant === 'recap') {
  const { createRecorder } = await import('@recap/capture');
  const { storageMiddleware } = await import('@recap/capture/express');
  recorder = createRecorder({ database: { type: 'sqlite', path: join(folder, 'recap.db') } });
  await recorder.ready();
  app.use(storageMiddleware({ recorder }));
}

/** Text of so many MiB, made as it is read. */
app.get('/download/:mib', async (request, response) => {
  response.type('text/plain');
  const chunks = (Number(request.params.mib) * MIB) / CHUNK.length;
  const body = Readable.from(
    (function* make() {
      for (let index = 0; index < chunks; index += 1) yield CHUNK;
    })(),
  );
  // A client that leaves early ends this one.
  await pipeline(body, response).catch(() => undefined);
});

app.post('/upload', async (request, response) => {
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  response.json({ bytes });
});

/** Answers when as many requests are here at one time as the query says. */
const waiting = [];
app.post('/meet', express.json(), (request, response) => {
  waiting.push(() => response.json(request.body));
  if (waiting.length < Number(request.query.of)) return;
  process.send({ met: waiting.length });
  for (const answer of waiting.splice(0)) answer();
});

let peak = 0;
const look = () => {
  peak = Math.max(peak, process.memoryUsage.rss());
};
setInterval(look, 20).unref();

const server = app.listen(0, '127.0.0.1', 16_384, () => process.send({ port: server.address().port }));
server.requestTimeout = 0;
process.on('message', async (ask) => {
  if (ask === 'peak') {
    look();
    process.send({ peak });
    globalThis.gc?.();
    peak = process.memoryUsage.rss();
    return;
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  await recorder?.flush();
  const stats = recorder?.stats();
  await recorder?.close();
  process.send({ stats }, () => process.exit(0));
});
