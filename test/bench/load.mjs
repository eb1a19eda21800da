import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';

const run = promisify(execFile);
const CONNECTIONS = 32;
/** Until the program's code has been compiled for speed. */
const WARM_UP_SECONDS = 2;

/**
 * Posts `body` over 32 connections as fast as answers come.
 *
 * wrk takes little of the machine. autocannon is written in JavaScript and takes about as much of it as the
 * program does, so that on two cores a worker thread has none left.
 *
 * @param {string | undefined} wrk the program, when this machine has it
 */
export async function load(url, body, seconds, folder, wrk) {
  const attack = wrk === undefined ? withAutocannon : (...rest) => withWrk(wrk, folder, ...rest);
  await attack(url, body, WARM_UP_SECONDS);
  return attack(url, body, seconds);
}

async function withWrk(wrk, folder, url, body, seconds) {
  const script = join(folder, 'post.lua');
  await writeFile(
    script,
    `wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\nwrk.body = [==[${body}]==]\n` +
      'done = function(summary, latency)\n' +
      '  local errors = summary.errors\n' +
      '  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,\n' +
      '    latency:percentile(50), latency:percentile(99),\n' +
      '    errors.connect + errors.read + errors.write + errors.status + errors.timeout))\nend\n',
  );
  const { stdout } = await run(wrk, ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', script, url]);
  const [requests, micros, p50, p99, failures] = /RESULT (.+)/.exec(stdout)[1].split(' ').map(Number);
  return { perSecond: (requests * 1e6) / micros, p50: p50 / 1000, p99: p99 / 1000, failures };
}

async function withAutocannon(url, body, seconds) {
  const { requests, latency, errors, non2xx } = await autocannon({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    connections: CONNECTIONS,
    duration: seconds,
  });
  return { perSecond: requests.average, p50: latency.p50, p99: latency.p99, failures: errors + non2xx };
}
