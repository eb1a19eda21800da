// What Recap costs, against the bare program and its peers; see options.mjs for what it takes. Fails when a gate of a
// scenario does not hold, and when a variant that has to keep everything lost an exchange.
import { resolve } from 'node:path';

import * as postgres from '../../scripts/servers/postgres.mjs';
import { Databases } from './databases.mjs';
import { writeDocument } from './document.mjs';
import { judge } from './figures.mjs';
import { describeMachine } from './machine.mjs';
import { readOptions, USAGE } from './options.mjs';
import { summariseProfiles } from './profiles.mjs';
import { runScenario } from './rounds.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { endProcesses } from './node-process.mjs';
import { describeScenario, roundsText, tableOf, verdictLines } from './tables.mjs';
import { VARIANTS } from './variants.mjs';

const tell = (text) => process.stderr.write(`${text}\n`);
const options = readOptionsOrExit();
if (options.list) list();
else await measureAll();

async function measureAll() {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      interrupted = true;
      endProcesses();
    });
  }
  const databases = new Databases(postgres);
  const reports = [];
  const minutes = Math.ceil(options.scenarios.reduce(addMinutes, 0));
  tell(`Scenarios: ${options.scenarios.length}, in about ${minutes} min.`);
  try {
    for (const scenario of options.scenarios) {
      if (interrupted) break;
      const report = await measureScenario(scenario, databases);
      if (interrupted) break;
      reports.push(report);
      print(report);
      await printProfiles(report);
    }
  } finally {
    await databases.stop();
  }
  summarise(reports);
  const measured = reports.filter(({ failure, results }) => failure === undefined && 'bare' in results);
  if (options.writes && !interrupted && measured.length > 0) {
    tell(`Written: ${await writeDocument(measured, describeMachine())}`);
  }
  if (interrupted) process.exitCode = 130;
}

async function measureScenario(scenario, databases) {
  const { seconds, rounds } = lengthOf(scenario);
  const isShort = options.isQuick && scenario.load.kind === 'in turns';
  const load = isShort ? { ...scenario.load, requests: 500 } : scenario.load;
  const { profileFolder } = options;
  const sized = { ...scenario, load, profileFolder: profileFolder && resolve(profileFolder, scenario.name) };
  const report = { scenario: sized, rounds, seconds, results: {}, leftOut: {}, verdicts: [] };
  try {
    const { results, leftOut } = await runScenario(sized, { rounds, seconds, databases, tell });
    const usesPostgres = Object.keys(results).some((name) => VARIANTS[name].database === 'postgres');
    const postgres = usesPostgres ? await databases.version() : undefined;
    return { ...report, results, leftOut, postgres, verdicts: judge(scenario.gates, results) };
  } catch (error) {
    return { ...report, failure: error.message };
  }
}

function lengthOf(scenario) {
  return {
    seconds: options.seconds ?? (options.isQuick ? 1 : (scenario.seconds ?? 3)),
    rounds: options.rounds ?? (options.isQuick ? 1 : (scenario.rounds ?? 5)),
  };
}

/** With the warm-up, and about a second to start and end. */
function addMinutes(minutes, scenario) {
  const { seconds, rounds } = lengthOf(scenario);
  return minutes + (rounds * scenario.variants.length * (seconds + Math.min(2, seconds) + 1)) / 60;
}

function print(report) {
  const { scenario, results, leftOut, verdicts, failure } = report;
  console.log(`\n## ${scenario.name}\n\n${describeScenario(scenario)}; ${roundsText(report)}.\n`);
  if (failure !== undefined) {
    console.log(`FAILED: ${failure}`);
    return;
  }
  if (Object.keys(results).length > 0) console.log(tableOf(results));
  for (const [name, why] of Object.entries(leftOut)) console.log(`\nWithout ${name}: ${why}.`);
  for (const line of verdictLines(verdicts)) console.log(`\n${line}`);
}

async function printProfiles({ scenario: { profileFolder } }) {
  if (profileFolder === undefined) return;
  for (const line of await summariseProfiles(profileFolder)) console.log(line);
}

function summarise(reports) {
  const lines = reports.flatMap(({ scenario, verdicts, failure }) => [
    ...(failure === undefined ? [] : [`${scenario.name}: FAILED: ${failure.split('\n')[0]}`]),
    ...verdictLines(verdicts).map((line) => `${scenario.name}: ${line}`),
  ]);
  if (lines.length > 0) console.log(`\n## Gates\n\n${lines.map((line) => `- ${line}`).join('\n')}`);
  const isHeld = reports.every(
    ({ failure, verdicts }) =>
      failure === undefined && (!options.isJudged || verdicts.every(({ state }) => state !== 'missed')),
  );
  if (!isHeld) process.exitCode = 1;
}

function list() {
  console.log(`${USAGE}\n\nScenarios:`);
  for (const scenario of SCENARIOS) {
    console.log(`\n  ${scenario.name}${scenario.isDefault ? '' : ' (when named)'}`);
    console.log(`    ${describeScenario(scenario)}`);
    console.log(`    ${scenario.variants.join(', ')}`);
    for (const line of verdictLines(judge(scenario.gates, {}))) console.log(`    ${line}`);
  }
  console.log('\n  stored bytes: npm run bench -- --bytes');
}

function readOptionsOrExit() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}
