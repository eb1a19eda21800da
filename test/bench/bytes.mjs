// What an exchange takes on the disk: `npm run bench -- --bytes [--exchanges=10000 --size=1200 --codec=zlib]`.
// Real requests to an Express program that records with a worker into SQLite: signed-in users, nested routes, the headers
// of a usual client, JSON whose values differ each time. Counted are all pages of the file, indexes and sessions
// included, without those that are free. Two kinds of answer: what was stored, with state and time changed, as a PUT is
// answered; and a list that has nothing to do with the request. Fails when the first takes more than 2,000 bytes for an
// exchange of 1.2 KB each way.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createRecorder } from '@recap/capture';
import { storageMiddleware } from '@recap/capture/express';
import express from 'express';
import { RestBodies } from './rest-bodies.mjs';

const GATE_BYTES = 2_000;
const AIM_BYTES = 1_400;
const GATE_SIZE = 1_200;
const USERS = 200;
const CONNECTIONS = 8;
const RESOURCES = ['orders', 'invoices', 'customers', 'products', 'shipments', 'returns', 'carts', 'reviews'];

const { values } = parseArgs({
  options: {
    bytes: { type: 'boolean' },
    exchanges: { type: 'string', default: '10000' },
    size: { type: 'string', default: String(GATE_SIZE) },
    codec: { type: 'string' },
  },
});
const exchanges = Number(values.exchanges);
const size = Number(values.size);
const bodies = new RestBodies(1);
/** What the program answers to a body. */
const ANSWERS = {
  'the answer is what was stored': (request) =>
    JSON.stringify({ ...request, items: request.items.map(asStored) }),
  'the answer has nothing to do with the request': () => bodies.next(size),
};

let isGateHeld = true;
for (const [title, answer] of Object.entries(ANSWERS)) {
  const folder = await mkdtemp(join(tmpdir(), 'recap-bench-'));
  const path = join(folder, 'recap.db');
  try {
    await record(path, answer);
    const total = report(path, title);
    isGateHeld &&= size !== GATE_SIZE || title !== Object.keys(ANSWERS)[0] || total <= GATE_BYTES;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
if (!isGateHeld) {
  console.error('The gate does not hold.');
  process.exitCode = 1;
}

function asStored(item, index) {
  const stored = { ...item, status: index % 2 === 0 ? 'paid' : 'shipped' };
  return { ...stored, price: Math.ceil(item.price), createdAt: new Date().toISOString() };
}

async function record(path, answer) {
  const recorder = createRecorder({
    database: { type: 'sqlite', path },
    owner: (req) => req.headers['x-user'],
    ...(values.codec !== undefined && { codec: values.codec }),
  });
  await recorder.ready();
  const app = express();
  app.disable('x-powered-by');
  app.use(storageMiddleware({ recorder }));
  app.use(express.json());
  const api = express.Router();
  for (const resource of RESOURCES) {
    api.put(`/${resource}/:id`, (request, response) => response.type('json').send(answer(request.body)));
  }
  app.use('/api/v1', api);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let sent = 0;
  const client = async () => {
    while (sent < exchanges) {
      sent += 1;
      const resource = RESOURCES[sent % RESOURCES.length];
      const url = `http://127.0.0.1:${server.address().port}/api/v1/${resource}/${bodies.uuid()}`;
      await put(agent, url, bodies.next(size), `user-${sent % USERS}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
  await new Promise((resolve) => server.close(resolve));
  await recorder.flush();
  const { stored } = recorder.stats();
  await recorder.close();
  if (stored !== exchanges) throw new Error(`${stored} of ${exchanges} exchanges are stored.`);
}

function put(agent, url, body, user) {
  return new Promise((resolve, reject) => {
    const headers = {
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate, br',
      'user-agent': 'orders-service/2.14.0 (node.js v20.20.2; linux x64)',
      authorization: `Bearer ${user}-0123456789abcdef0123456789abcdef`,
      'x-user': user,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sending = request(url, { agent, method: 'PUT', headers }, (response) => {
      response.resume();
      response.once('end', resolve);
    });
    sending.once('error', reject);
    sending.end(body);
  });
}

function report(path, title) {
  const Database = createRequire(import.meta.url)('better-sqlite3');
  const database = new Database(path, { readonly: true });
  const each = (bytes) => (bytes / exchanges).toFixed(0).padStart(6);
  const pages = database
    .prepare(
      'SELECT name, SUM(pgsize) AS bytes, SUM(unused) AS unused FROM dbstat GROUP BY name ORDER BY 2 DESC',
    )
    .all();
  let total = 0;
  console.log(
    `\n${exchanges} exchanges of ${size} bytes each way, ${title}, Node ${process.version}. Bytes per exchange:\n`,
  );
  for (const { name, bytes, unused } of pages) {
    total += bytes;
    if (bytes / exchanges >= 1) console.log(`${each(bytes)}  ${name} (${each(unused).trim()} of it free)`);
  }
  console.log(
    `${each(total)}  in all (gate: ${GATE_BYTES}, aim: ${AIM_BYTES} at ${GATE_SIZE} bytes)\n\nOf the entries, by column:\n`,
  );
  const columns = database.prepare('SELECT name FROM pragma_table_info(?)').all('recap_entries');
  const lengths = columns.map(({ name }) => {
    const { bytes } = database
      .prepare(
        `SELECT SUM(CASE typeof(${name}) WHEN 'text' THEN length(CAST(${name} AS BLOB)) WHEN 'blob' THEN length(${name})
          WHEN 'real' THEN 8 WHEN 'integer' THEN 4 ELSE 0 END) AS bytes FROM recap_entries`,
      )
      .get();
    return { name, bytes };
  });
  for (const { name, bytes } of lengths.sort((a, b) => b.bytes - a.bytes)) {
    if (bytes / exchanges >= 4) console.log(`${each(bytes)}  ${name}`);
  }
  database.close();
  return total / exchanges;
}
