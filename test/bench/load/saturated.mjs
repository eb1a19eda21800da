import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../../scripts/debian.mjs';
import { SERIAL } from '../bodies.mjs';

const run = promisify(execFile);
const wrk = findProgram('wrk');
const require = createRequire(import.meta.url);
const autocannon = require.resolve('autocannon');

/**
 * wrk takes little of the machine. autocannon is written in JavaScript and takes about as much of it as the
 * program does, so that on two cores a worker thread has none left.
 */
export const LOAD_PROGRAM = wrk ? 'wrk' : 'autocannon';

/** Posts `body` over so many connections as fast as answers come. */
export function saturate({ url, body, seconds, connections, folder, prefix }) {
  return (wrk ? withWrk : withAutocannon)(url, body, seconds, connections, folder, prefix);
}

async function withWrk(url, body, seconds, connections, folder, prefix) {
  const script = join(folder, 'post.lua');
  const [head, tail] = body.split(SERIAL);
  await writeFile(
    script,
    `wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n` +
      `local head, tail, serial = [==[${head}]==], [==[${tail}]==], ${SERIAL}\n` +
      'request = function()\n  serial = serial + 1\n' +
      '  return wrk.format(nil, nil, nil, head .. serial .. tail)\nend\n' +
      'done = function(summary, latency)\n' +
      '  local errors = summary.errors\n' +
      '  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,\n' +
      '    latency:percentile(50), latency:percentile(99),\n' +
      '    errors.connect + errors.read + errors.write + errors.status + errors.timeout))\nend\n',
  );
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url];
  const [command, ...rest] = [...prefix, wrk, ...options];
  const { stdout } = await run(command, rest);
  const [requests, micros, p50, p99, failures] = /RESULT (.+)/.exec(stdout)[1].split(' ').map(Number);
  return { perSecond: (requests * 1e6) / micros, p50: p50 / 1000, p99: p99 / 1000, failures };
}

async function withAutocannon(url, body, seconds, connections, folder, prefix) {
  const file = join(folder, 'body.json');
  // It takes the place of the marker, which is no number in JSON.
  await writeFile(file, body.replace(SERIAL, '"[<id>]"'));
  const options = ['-I', '-j', '-n', '-m', 'POST', '-H', 'content-type=application/json', '-i', file];
  const bounds = ['-c', String(connections), '-d', String(seconds), url];
  const [command, ...rest] = [...prefix, process.execPath, autocannon, ...options, ...bounds];
  const { stdout } = await run(command, rest, { maxBuffer: 16 * 1024 * 1024 });
  const { requests, latency, errors, non2xx } = JSON.parse(stdout);
  return { perSecond: requests.average, p50: latency.p50, p99: latency.p99, failures: errors + non2xx };
}
