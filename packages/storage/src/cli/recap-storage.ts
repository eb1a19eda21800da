#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../errors';
import { runCli } from './run-cli';

const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
  version: string;
};
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error) => {
    // Who reads no further has what he wanted; the command does its work all the same.
    if (errorCode(error) !== 'EPIPE') throw error;
  });
const abort = new AbortController();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
let ended: (typeof signals)[number] | undefined;
for (const signal of signals) {
  // The first ends it in order; the next one, since nobody listens any more, at once.
  process.once(signal, () => {
    ended = signal;
    abort.abort(new Error(`Ended by ${signal}.`));
  });
}

void runCli({
  ...{ args: process.argv.slice(2), version, environment: process.env, signal: abort.signal },
  streams: { stdout: process.stdout, stderr: process.stderr },
}).then((exitCode) => {
  process.exitCode = exitCode;
  if (ended === undefined) return;
  for (const signal of signals) process.removeAllListeners(signal);
  process.kill(process.pid, ended);
});
