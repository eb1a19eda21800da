// The load, in a process of its own: `node load.mjs <port> <bytes> <seconds>`. Prints JSON.
import autocannon from 'autocannon';
import { listBody } from './bodies.mjs';

const [port, bytes, seconds] = process.argv.slice(2).map(Number);
const options = {
  url: `http://127.0.0.1:${port}/echo`,
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: listBody(bytes),
  connections: 32,
};
// Until the program's code has been compiled for speed.
await autocannon({ ...options, duration: 3 });
const result = await autocannon({ ...options, duration: seconds });
const { requests, latency, errors, non2xx } = result;
process.stdout.write(
  JSON.stringify({
    perSecond: requests.average,
    p50: latency.p50,
    p99: latency.p99,
    failures: errors + non2xx,
  }),
);
