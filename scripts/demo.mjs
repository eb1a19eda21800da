import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { storageClient } from './demo/client.mjs';
import { startProgram } from './demo/program.mjs';
import { createChecks, report } from './demo/report.mjs';
import { plantSecrets } from './demo/secrets.mjs';
import { bold, green, heading, red, say, title } from './demo/terminal.mjs';
import { driveTraffic } from './demo/traffic.mjs';
import { endRunningCommands } from './run-command.mjs';
import { setUp } from './setup.mjs';

/*
 * npm run demo                  starts the example API, sends it traffic, shows what was recorded, ends
 * npm run demo -- --keep        the same, and leaves the API running until Ctrl-C
 * npm run demo -- --port=4000   on this port instead of a free one
 *
 * RECAP_DEMO_SKIP_SETUP=1 spares the look for what is missing.
 */

const storedWithinMs = 10_000;
const marker = 'please-wrap-as-a-gift';

const { keep, port } = readArguments();
const folder = mkdtempSync(join(tmpdir(), 'recap-demo-'));
let program;
let ending;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => void end(keep && program ? 0 : 130));

try {
  await prepare();
  const startedAt = Date.now();
  const failed = await demonstrate();
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  conclude(failed, seconds);
  if (keep && failed.length === 0) {
    const how = await program.ended;
    if (!ending) console.error(`\nThe example API ended by itself: ${how}`);
    await end(1);
  }
  await end(failed.length === 0 ? 0 : 1);
} catch (error) {
  if (!ending) console.error(`\n${red('The demo failed.')} ${error.message}`);
  await end(1);
}

async function prepare() {
  if (process.env.RECAP_DEMO_SKIP_SETUP === '1') return;
  const { built, sqlite } = await setUp();
  if (!built) throw new Error('The packages do not compile, see above.');
  if (!sqlite) throw new Error('SQLite does not open, see above.');
}

/** @returns {Promise<string[]>} what was not as it should be. */
async function demonstrate() {
  title(
    'Recap: an API that records itself',
    'The API is examples/demo: users, orders, and a chat whose answers are sentences from a list (no AI behind it).',
  );
  const secrets = plantSecrets();
  const adminToken = randomBytes(24).toString('hex');
  const warehouseUrl = `https://stock:${secrets["the warehouse's password in an error"]}@warehouse.example/moon`;
  program = await startProgram({ port, database: join(folder, 'recap.db'), token: adminToken, warehouseUrl });

  heading('Traffic');
  say(`The API listens on ${program.url} and records to SQLite in ${folder}.`);
  const traffic = await driveTraffic(program.url, secrets, marker);
  secrets["the admin's bearer token"] = adminToken;
  say(
    `Sent ${traffic.sent} requests as ann, bob and anonymous, with ${Object.keys(secrets).length} secrets among them.`,
  );

  const admin = storageClient(program.url, adminToken);
  await untilStored(admin, traffic.sent);
  const clients = {
    admin,
    ann: storageClient(program.url, traffic.ann),
    stranger: storageClient(program.url, 'a-token-that-nobody-gave-out'),
  };
  const checks = createChecks();
  await report(clients, traffic, { folder, secrets, marker }, checks);
  if (keep) showCommands(program.url, adminToken);
  say();
  say(`${checks.count() - checks.failed.length} of ${checks.count()} checks hold.`);
  return checks.failed;
}

async function untilStored(admin, sent) {
  for (const until = Date.now() + storedWithinMs; Date.now() < until; await wait(50)) {
    const { recorder } = await admin.stats();
    if (recorder.captured >= sent && recorder.queued === 0) return;
  }
  const { recorder } = await admin.stats();
  throw new Error(
    `${sent} requests were sent, but after ${storedWithinMs / 1000} s: ${JSON.stringify(recorder)}`,
  );
}

function showCommands(url, token) {
  heading('It goes on running: ask it yourself');
  const admin = `-H 'Authorization: Bearer ${token}'`;
  const asJson = "-H 'Content-Type: application/json'";
  const chat = JSON.stringify({
    messages: [{ role: 'user', content: 'Is this recorded?' }],
    password: 'hidden',
  });
  const commands = [
    ['Make an entry', `curl ${url}/v1/ai/chat ${asJson} -d '${chat}'`],
    ['Find it', `curl ${url}/storage/query ${admin} ${asJson} -d '{"endpoint":"/v1/ai/chat","page_size":1}'`],
    ['List the sessions', `curl ${url}/storage/sessions ${admin}`],
  ];
  for (const [what, command] of commands) console.log(`\n  ${what}:\n${command}`);
}

function conclude(failed, seconds) {
  if (failed.length > 0) {
    console.error(`\n${red('Not as it should be:')}\n${failed.map((text) => `  ✗ ${text}`).join('\n')}`);
    return;
  }
  console.log(`\n${green('The demo ended well')} after ${seconds} s.`);
  if (keep) console.log(`${bold('Ctrl-C')} ends the API and removes its database.`);
  else console.log(`Keep it running, to ask it with curl: ${bold('npm run demo -- --keep')}`);
}

/** The first call decides: Ctrl-C ends the API as well, which is then no failure. */
function end(code) {
  ending ??= cleanUp(code);
  return ending;
}

async function cleanUp(code) {
  endRunningCommands();
  await program?.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}

function readArguments() {
  try {
    const { values } = parseArgs({ options: { keep: { type: 'boolean' }, port: { type: 'string' } } });
    const number = Number(values.port ?? 0);
    if (!Number.isInteger(number) || number < 0 || number > 65_535)
      throw new Error(`"${values.port}" is no port.`);
    return { keep: values.keep === true, port: number };
  } catch (error) {
    console.error(`${error.message}\nUse: npm run demo -- [--keep] [--port=4000]`);
    return process.exit(2);
  }
}
