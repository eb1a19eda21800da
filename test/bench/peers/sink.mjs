// The services that peers send to, as far as they need them: `node sink.mjs '{"kind":"apitally"|"moesif"}'`, only on
// 127.0.0.1. It sends { port }, and answers 'count' with how many exchanges came.
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';

const { kind } = JSON.parse(process.argv[2]);
process.on('disconnect', () => process.exit(1));

/** Exchanges in what was posted to a path. */
const COUNTS = {
  apitally: (path, body) =>
    /\/log$/.test(path) ? gunzipSync(body).toString('latin1').split('\n').length - 1 : 0,
  moesif: (path, body, headers) => {
    if (path !== '/v1/events/batch') return 0;
    const text = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    return JSON.parse(text.toString()).length;
  },
};

let stored = 0;
const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const [path] = request.url.split('?');
  if (request.method === 'POST') stored += COUNTS[kind](path, body, request.headers);
  response.setHeader('content-type', 'application/json');
  response.end(path === '/v1/rules' ? '[]' : '{}');
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ stored }));
