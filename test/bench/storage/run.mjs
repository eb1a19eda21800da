// What the storage backends cost, beside their bare drivers and keyv; see options.mjs for what it takes. Fails when a
// gate does not hold, and when something that was written is not there.
import { join, resolve } from 'node:path';
import * as dynamodb from '../../../scripts/servers/dynamodb.mjs';
import * as mongodb from '../../../scripts/servers/mongodb.mjs';
import * as postgres from '../../../scripts/servers/postgres.mjs';
import * as redis from '../../../scripts/servers/redis.mjs';
import { describeMachine } from '../machine.mjs';
import { endProcesses } from '../node-process.mjs';
import { summariseProfiles } from '../profiles.mjs';
import { writeStorageDocument } from './document.mjs';
import { readOptions, USAGE } from './options.mjs';
import { Places } from './places.mjs';
import { BACKENDS, labelOf } from './plan.mjs';
import { measureBackend } from './rounds.mjs';
import { tableOf, verdictLine } from './tables.mjs';
import { judge } from './verdicts.mjs';

const tell = (text) => process.stderr.write(`${text}\n`);
const options = readOptionsOrExit();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    endProcesses();
  });
}
await measureAll();

async function measureAll() {
  const places = new Places({ postgres, redis, mongodb, dynamodb });
  const reports = [];
  try {
    for (const backend of options.backends) {
      if (interrupted) break;
      const report = await measure(backend, places);
      if (interrupted) break;
      reports.push(report);
      print(report);
      await printProfiles(backend);
    }
  } finally {
    await places.stop();
  }
  summarise(reports);
  const measured = reports.filter(({ failure }) => failure === undefined);
  if (options.writes && !interrupted && measured.length > 0)
    tell(`Written: ${await writeStorageDocument(measured, describeMachine())}`);
  if (interrupted) process.exitCode = 130;
}

async function measure(backend, places) {
  const { rounds, ms } = options;
  const profileFolder = options.profileFolder && resolve(options.profileFolder, backend);
  const { isQuick = false } = BACKENDS[backend];
  const report = { backend, rounds, ms, results: [], leftOut: {} };
  try {
    const measured = await measureBackend({ ...options, backend, isQuick, places, profileFolder, tell });
    return { ...report, ...measured, server: await places.version(backend) };
  } catch (error) {
    return { ...report, failure: error.message };
  }
}

function print({ backend, rounds, ms, server, results, leftOut, failure }) {
  const version = server === undefined ? '' : ` ${server}`;
  console.log(`\n## ${BACKENDS[backend].label}${version}\n\nRounds: ${rounds}, of ${ms} ms.\n`);
  if (failure !== undefined) console.log(`FAILED: ${failure}`);
  else if (results.length > 0) console.log(tableOf(backend, results));
  for (const [subject, why] of Object.entries(leftOut))
    console.log(`\nWithout ${labelOf(subject, backend)}: ${why}`);
}

async function printProfiles(backend) {
  if (options.profileFolder === undefined) return;
  for (const line of await summariseProfiles(join(options.profileFolder, backend))) console.log(line);
}

function summarise(reports) {
  const failures = reports.filter(({ failure }) => failure !== undefined);
  const verdicts = reports
    .flatMap(({ backend, results }) => judge(backend, results))
    .filter(({ state }) => state !== 'not measured');
  const lines = [
    ...failures.map(({ backend, failure }) => `${backend}: FAILED: ${failure.split('\n')[0]}`),
    ...verdicts.map(verdictLine),
  ];
  if (lines.length > 0) console.log(`\n## Gates\n\n${lines.map((line) => `- ${line}`).join('\n')}`);
  const isMissed = options.isJudged && verdicts.some(({ state }) => state === 'missed');
  if (failures.length > 0 || isMissed) process.exitCode = 1;
}

function readOptionsOrExit() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}
