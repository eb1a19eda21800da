// Clients with large bodies: `node large.mjs <port> <how many> <at one time> <bytes>`. Prints how many got as much back.
import http from 'node:http';

const [port, count, parallel, bytes] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: parallel });
const body = Buffer.alloc(bytes, 'x');
body[0] = body[bytes - 1] = 0x22;
let next = 0;
let right = 0;

function post(id) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': bytes };
    const request = http.request({
      agent,
      host: '127.0.0.1',
      port,
      path: `/large/${id}`,
      method: 'POST',
      headers,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let got = 0;
      response.on('data', (chunk) => (got += chunk.length));
      response.on('end', () => resolve(got === bytes && response.statusCode === 200));
      response.on('error', reject);
    });
    request.end(body);
  });
}

async function client() {
  while (next < count) {
    next += 1;
    if (await post(next).catch(() => false)) right += 1;
  }
}

await Promise.all(Array.from({ length: parallel }, client));
process.stdout.write(JSON.stringify({ right }), () => process.exit(0));
