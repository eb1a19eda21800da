import { listBody } from './bodies.mjs';
import { quantile } from './figures.mjs';
import { HttpConnection, requestBytes } from './load/http-connection.mjs';
import { pace } from './load/paced.mjs';
import { saturate } from './load/saturated.mjs';
import { sendInTurn } from './load/sequential.mjs';
import { Program } from './program.mjs';

/** Until the program's code has been compiled for speed, that of its threads too. */
const WARM_UP_SECONDS = 2;
/** About as long, of one connection. */
const WARM_UP_REQUESTS = 15_000;
/** Requests of one connection before the other program has its turn: long enough for several batches to be written. */
const BLOCK = 5_000;

/** Measures one variant once, under the scenario's load. */
export async function measure(name, scenario, seconds, databases) {
  const program = await Program.start(name, scenario, databases);
  try {
    const load = driverOf(scenario, program);
    const drive = async (length) => {
      const loaded = await load(length);
      refuseFailures(program, loaded.failures);
      return loaded;
    };
    await drive(Math.min(WARM_UP_SECONDS, seconds));
    await program.server.ask('open');
    const loaded = await drive(seconds);
    return { ...loaded, ...(await program.finish()) };
  } finally {
    await program.end();
  }
}

function refuseFailures({ name, server }, failures) {
  if (failures === 0) return;
  const ending = server.ending === undefined ? '' : `: the program ${server.ending}`;
  throw new Error(`${name}: ${failures} requests failed${ending}`);
}

function driverOf({ load, bytes }, { port, folder, loadPrefix: prefix }) {
  if (load.kind === 'paced') {
    return (seconds) => pace({ port, bodyBytes: bytes, seconds, perSecond: load.perSecond, prefix });
  }
  const url = `http://127.0.0.1:${port}/echo`;
  const body = listBody(bytes);
  return (seconds) => saturate({ url, body, seconds, connections: load.connections, folder, prefix });
}

/**
 * Measures variants side by side: single requests over one connection to each, in turns of some thousands, and what
 * one has put off is done before the next has its turn.
 *
 * @returns {Promise<Record<string, object>>} by variant
 */
export async function measureInTurns(names, scenario, databases) {
  const programs = [];
  try {
    for (const name of names) programs.push(await Program.start(name, scenario, databases));
    const { requests, method, path } = scenario.load;
    const bytes = requestBytes(method, path, scenario.bytes > 0 ? listBody(scenario.bytes) : undefined);
    for (const program of programs) {
      program.connection = await HttpConnection.open(program.port);
      program.latencies = [];
      await sendInTurn(program.connection, bytes, Math.min(WARM_UP_REQUESTS, requests));
      await program.server.ask('open');
    }
    for (let sent = 0; sent < requests; sent += BLOCK) {
      const count = Math.min(BLOCK, requests - sent);
      for (const program of programs) {
        const { latencies, failures } = await sendInTurn(program.connection, bytes, count);
        refuseFailures(program, failures);
        program.latencies.push(...latencies);
        await program.server.ask('settle');
      }
      programs.reverse();
    }
    const results = {};
    for (const program of programs) results[program.name] = await sequentialResult(program);
    return Object.fromEntries(names.map((name) => [name, results[name]]));
  } finally {
    for (const program of programs) {
      program.connection?.close();
      await program.end();
    }
  }
}

async function sequentialResult(program) {
  const { latencies } = program;
  const perSecond = (latencies.length * 1000) / latencies.reduce((sum, each) => sum + each, 0);
  return {
    perSecond,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    failures: 0,
    ...(await program.finish()),
  };
}
