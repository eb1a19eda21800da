import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endRunningCommands, runCommand } from './run-command.mjs';
import * as dynamodb from './servers/dynamodb.mjs';
import * as mongodb from './servers/mongodb.mjs';
import * as postgres from './servers/postgres.mjs';
import * as redisCluster from './servers/redis-cluster.mjs';
import * as redis from './servers/redis.mjs';
import { setUp } from './setup.mjs';
import { storageTable } from './storage-table.mjs';

/*
 * npm test                          everything
 * npm test -- --only=unit,package   some suites
 * npm test -- path/to/x.test.ts     what Jest selects by these arguments, with the servers running
 * npm run test:long                 everything in its long form (RECAP_LONG=1)
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const isLong = process.argv.includes('--long');
const isCi = Boolean(process.env.CI) && process.env.CI !== 'false';
const jest = join(root, 'node_modules/jest/bin/jest.js');
const jestProjects = (...names) => [jest, '--selectProjects', ...names];

/** A suite ends with 75 when this machine lacks something that it needs. */
const cannotRunHere = 75;

const allSuites = [
  {
    name: 'unit',
    args: [...jestProjects('unit', 'standard-decorators'), '--maxWorkers=2'],
    servers: [postgres],
    limitMinutes: 10,
  },
  {
    name: 'integration',
    args: jestProjects('integration'),
    servers: [postgres],
    needsBuild: true,
    limitMinutes: 10,
  },
  {
    name: 'storage',
    args: [...jestProjects('storage'), '--maxWorkers=2'],
    servers: [postgres, redis, redisCluster, mongodb, dynamodb],
    // Not for the others, which want a PostgreSQL to themselves. With REDIS_URL, it is where users name their own.
    own: { RECAP_TEST_POSTGRES_URL: 'DATABASE_URL' },
    limitMinutes: 8,
    hasTable: true,
  },
  {
    name: 'fidelity',
    args: [join(root, 'scripts/fidelity.mjs')],
    servers: [],
    limitMinutes: 4,
  },
  {
    name: 'faults',
    args: [join(root, 'scripts/faults.mjs')],
    servers: [postgres],
    needsBuild: true,
    limitMinutes: 8,
  },
  { name: 'package', args: jestProjects('package'), servers: [], needsBuild: true, limitMinutes: 5 },
  {
    name: 'examples',
    args: jestProjects('examples'),
    servers: [postgres, redis],
    needsBuild: true,
    limitMinutes: 5,
  },
  {
    name: 'typeorm-0.3',
    args: [join(root, 'test/compat-typeorm-0.3/run.mjs')],
    servers: [],
    needsBuild: true,
    limitMinutes: 10,
  },
  {
    name: 'frameworks',
    args: [join(root, 'test/frameworks/run.mjs')],
    servers: [],
    needsBuild: true,
    limitMinutes: 5,
  },
  ...['22', '24'].map((major) => ({
    name: `node-${major}`,
    args: [join(root, 'test/node-versions/run.mjs'), major],
    servers: [],
    needsBuild: true,
    limitMinutes: 4,
  })),
];

const results = [];
const tables = [];
const started = [];
const scratch = mkdtempSync(join(tmpdir(), 'recap-test-'));
let interrupted = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    endRunningCommands();
  });
}

try {
  const { suites, more } = choose(process.argv.slice(2).filter((arg) => arg !== '--long'));
  const ready = await setUp({ build: suites.some((suite) => suite.needsBuild) });
  const environment = await startServers(
    new Set(suites.flatMap((suite) => suite.servers.filter(({ variable }) => !ownServers(suite)[variable]))),
  );
  for (const suite of suites) {
    if (interrupted) break;
    if (suite.needsBuild && !ready.built)
      results.push(notRun(suite.name, 'the packages do not compile', 'failed'));
    else results.push(await run(suite, more, environment));
  }
} finally {
  for (const server of started) await server.stop();
  rmSync(scratch, { recursive: true, force: true });
}
summarise();

function choose(args) {
  const only = args.find((arg) => arg.startsWith('--only='));
  const more = args.filter((arg) => arg !== only);
  if (only === undefined) {
    if (more.length === 0) return { suites: allSuites, more };
    return {
      suites: [
        {
          name: 'selected',
          args: [jest],
          servers: [postgres, redis, redisCluster, mongodb, dynamodb],
          needsBuild: true,
          limitMinutes: 20,
        },
      ],
      more,
    };
  }
  const names = only.slice('--only='.length).split(',');
  const unknown = names.filter((name) => !allSuites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const known = allSuites.map((suite) => suite.name).join(', ');
    console.error(`There is no suite "${unknown.join('", "')}". The suites are: ${known}.`);
    process.exit(2);
  }
  return { suites: allSuites.filter((suite) => names.includes(suite.name)), more };
}

async function startServers(servers) {
  const environment = isLong ? { RECAP_LONG: '1' } : {};
  for (const server of servers) {
    const named = [server.variable, server.ownVariable].find((name) => name && process.env[name]);
    if (named) {
      console.log(`${server.name}: using the one that ${named} names.`);
      environment[server.variable] = process.env[named];
      continue;
    }
    const begunAt = Date.now();
    const outcome = await server.start();
    if (outcome.missing === undefined) {
      started.push(outcome);
      environment[server.variable] = outcome.url;
      const seconds = ((Date.now() - begunAt) / 1000).toFixed(1);
      console.log(
        `${server.name} ${outcome.version} started for the tests on ${outcome.url} (${seconds} s).`,
      );
      continue;
    }
    const line = '!'.repeat(100);
    const effect = isCi ? 'With CI set that is a failure.' : 'The tests that need it are skipped.';
    console.error(`\n${line}\n${server.name} is MISSING: ${outcome.missing}.\n${effect}\n${line}\n`);
    results.push(notRun(server.name, outcome.missing, isCi ? 'failed' : 'skipped'));
  }
  return environment;
}

/** What users name of their own for one suite, by the variable that its tests read. */
function ownServers({ own = {} }) {
  const named = Object.entries(own).filter(
    ([variable, ownVariable]) => !process.env[variable] && process.env[ownVariable],
  );
  return Object.fromEntries(named.map(([variable, ownVariable]) => [variable, process.env[ownVariable]]));
}

async function run(suite, more, environment) {
  console.log(`\n── ${suite.name} ${'─'.repeat(90 - suite.name.length)}`);
  // One of the users' own may be far away, and syncs what it writes.
  const isElsewhere = suite.servers.some(({ ownVariable }) => ownVariable && process.env[ownVariable]);
  const limitMinutes = suite.limitMinutes * (isLong ? 12 : isElsewhere ? 6 : 1);
  const report = join(scratch, `${suite.name}.json`);
  const args = [...suite.args, ...more, '--json', `--outputFile=${report}`];
  const serversNoted = join(scratch, `${suite.name}-servers`);
  const { code, seconds } = await runCommand(process.execPath, args, {
    cwd: root,
    env: { ...environment, ...ownServers(suite), RECAP_STORAGE_SERVERS: serversNoted },
    limitMinutes,
    isDone: () => existsSync(report),
  });
  if (suite.hasTable && existsSync(report)) tables.push(storageTable(report, serversNoted));
  const counts = readReport(report);
  const result = { name: suite.name, seconds, ...counts };
  if (code === cannotRunHere)
    return { ...result, ...notRun(suite.name, 'see its output above', isCi ? 'failed' : 'skipped') };
  if (code === 124)
    return { ...result, failed: result.failed + 1, note: `ran longer than ${limitMinutes} minutes` };
  if (code === 125)
    return {
      ...result,
      failed: result.failed + 1,
      note: 'its tests ended, its process did not: something they opened is still open',
    };
  if (interrupted) return { ...result, failed: result.failed + 1, note: 'interrupted' };
  if (code !== 0 && result.failed === 0) return { ...result, failed: 1, note: `ended with code ${code}` };
  return result;
}

/** A test file that does not even load counts as one failed test. */
function readReport(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

function notRun(name, note, outcome) {
  return {
    name,
    seconds: 0,
    passed: 0,
    failed: outcome === 'failed' ? 1 : 0,
    skipped: outcome === 'skipped' ? 1 : 0,
    note,
  };
}

function summarise() {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`\n── summary ${'─'.repeat(83)}`);
  for (const { name, passed, failed, skipped, seconds, note } of results) {
    const outcome = failed > 0 ? 'FAILED' : passed > 0 ? 'passed' : skipped > 0 ? 'SKIPPED' : 'no tests yet';
    const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
    console.log(
      `${name.padEnd(20)} ${outcome.padEnd(12)} ${counts.padEnd(38)} ${seconds.toFixed(1).padStart(6)} s  ${note ?? ''}`,
    );
  }
  for (const table of tables) console.log(`\n${table}`);
  if (interrupted) console.log('The run was interrupted.');
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  process.exitCode = interrupted ? 130 : sum('failed') > 0 ? 1 : 0;
}
