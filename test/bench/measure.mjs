import { listBody } from './bodies.mjs';
import { quantile } from './figures.mjs';
import { HttpConnection, requestBytes } from './load/http-connection.mjs';
import { pace } from './load/paced.mjs';
import { saturate } from './load/saturated.mjs';
import { sendInTurn } from './load/sequential.mjs';
import { Program } from './program.mjs';

/** Until the program's code has been compiled for speed. */
const WARM_UP_SECONDS = 2;
const WARM_UP_REQUESTS = 2_000;
/** Requests of one connection before the other program has its turn: long enough for several batches to be written. */
const BLOCK = 5_000;

/** Measures one variant once, under the scenario's load. */
export async function measure(name, scenario, seconds, databases) {
  const program = await Program.start(name, scenario, databases);
  try {
    const drive = driverOf(scenario, program);
    await drive(Math.min(WARM_UP_SECONDS, seconds));
    await program.server.ask('open');
    const loaded = await drive(seconds);
    if (loaded.failures > 0) throw new Error(`${name}: ${loaded.failures} requests failed`);
    return { ...loaded, ...(await program.finish()) };
  } finally {
    await program.end();
  }
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
 * Measures variants side by side: single requests over one connection to each, in turns of a few hundred, and what
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
      for (const program of programs) {
        const { latencies, failures } = await sendInTurn(
          program.connection,
          bytes,
          Math.min(BLOCK, requests - sent),
        );
        if (failures > 0) throw new Error(`${program.name}: ${failures} requests failed`);
        program.latencies.push(...latencies);
        await program.server.ask('settle');
      }
    }
    const results = {};
    for (const program of programs) results[program.name] = await sequentialResult(program);
    return results;
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
