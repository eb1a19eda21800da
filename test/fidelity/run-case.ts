import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describeError, describeText } from './describe-value';
import type { FidelityCase } from './fidelity-case';
import type { Host, Recording } from './hosts';
import { requestOverHttp2, type Http2Answer } from './http2-client';
import { Probe } from './probe';
import { watchProcess } from './process-events';
import { Run } from './run';
import { requestText, WireClient } from './wire-client';

/** How long a run may wait for something that does not come. */
const DEADLINE_MS = 10_000;

/** One request as the app saw it. */
export interface SeenRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly probe: Probe;
  readonly method: string;
  /** Number of its connection, in the order in which they came. */
  readonly connection: number;
}

/** All that one run of a case showed. */
export interface Observation {
  readonly log: readonly string[];
  readonly clientLog: readonly string[];
  /** What each client connection received. */
  readonly received: readonly string[];
  readonly bytes: readonly Buffer[];
  /** What each server connection was told to write, call by call. */
  readonly sent: readonly (readonly string[])[];
  readonly requests: readonly SeenRequest[];
  readonly http2: Http2Answer | undefined;
  /** Why the run did not come to its end. */
  readonly failure: string | undefined;
}

/** Runs a case's program once, bare or recorded, and its client against it. */
export async function runCase(
  fidelityCase: FidelityCase,
  host: Host,
  recording: Recording | undefined,
  deadlineMs = DEADLINE_MS,
): Promise<Observation> {
  const run = new Run();
  const probes = new Map<object, Probe>();
  const requests: SeenRequest[] = [];
  const sent: string[][] = [];
  const connections = new Map<Socket, number>();
  const app = host.build(fidelityCase, {
    run,
    recording,
    probe: (request) => {
      const probe = probes.get(request);
      if (probe === undefined) throw new Error('A request that the rig does not know.');
      return probe;
    },
  });
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const label = probes.size === 0 ? '' : `(${String(probes.size + 1)})`;
    const probe = new Probe(request, response, run, label, fidelityCase.watchErrors);
    probes.set(request, probe);
    requests.push({
      request,
      response,
      probe,
      method: request.method ?? '',
      connection: connections.get(request.socket) ?? 0,
    });
    app(request, response);
  };
  const server = host.isHttp2
    ? (createHttp2Server(listener as never) as unknown as Server)
    : createServer(fidelityCase.serverOptions ?? {}, listener);
  server.on('connection', (socket: Socket) => {
    connections.set(socket, sent.length);
    if (!host.isHttp2) sent.push(watchWrites(socket));
  });
  if (!host.isHttp2) fidelityCase.server?.(server as never, run, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const clients: WireClient[] = [];
  const restoreProcess = watchProcess(run);
  const restoreConsole = watchConsole(run);
  let http2: Http2Answer | undefined;
  let failure: string | undefined;
  try {
    await within(deadlineMs, async () => {
      if (host.isHttp2) http2 = await requestOverHttp2(port, fidelityCase.request ?? {}, run);
      else await drive(fidelityCase, await WireClient.connect(port, run, clients), run);
    });
    for (const client of clients) client.socket.destroy();
    await within(deadlineMs, async () => {
      await new Promise((resolve) => server.close(resolve));
      await Promise.all(clients.map((client) => client.closed));
      await Promise.all([...probes.values()].map((probe) => probe.over()));
      await Promise.all(run.held);
      for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    });
  } catch (error) {
    failure = describeError(error);
    for (const client of clients) client.socket.destroy();
    for (const socket of connections.keys()) socket.destroy();
    server.close();
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  } finally {
    restoreConsole();
    restoreProcess();
  }
  return {
    log: run.log,
    clientLog: run.clientLog,
    received: clients.map((client) => withoutDate(client.text)),
    bytes: clients.map((client) => client.received),
    sent: sent.map((calls) => calls.map(withoutDate)),
    requests,
    http2,
    failure,
  };
}

async function drive(fidelityCase: FidelityCase, client: WireClient, run: Run): Promise<void> {
  if (fidelityCase.client !== undefined) return fidelityCase.client(client, run);
  client.send(requestText(fidelityCase.request));
  await client.closed;
}

/** Notes each call by which the server writes to a connection, so that chunks are seen as they were sent. */
function watchWrites(socket: Socket): string[] {
  const calls: string[] = [];
  const { write, cork, uncork, end, destroy } = socket;
  const text = (chunk: unknown, encoding: unknown): string => {
    if (chunk instanceof Uint8Array) return Buffer.from(chunk).toString('latin1');
    if (typeof chunk !== 'string') return '';
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8').toString(
      'latin1',
    );
  };
  Object.assign(socket, {
    write(...args: unknown[]) {
      calls.push(`write ${text(args[0], args[1])}`);
      return (write as (...all: unknown[]) => boolean).apply(socket, args);
    },
    cork() {
      calls.push('cork');
      cork.call(socket);
    },
    uncork() {
      calls.push('uncork');
      uncork.call(socket);
    },
    end(...args: unknown[]) {
      calls.push(`end ${text(args[0], args[1])}`);
      return (end as (...all: unknown[]) => Socket).apply(socket, args);
    },
    destroy(error?: Error) {
      calls.push(`destroy ${error === undefined ? '' : describeError(error)}`);
      return destroy.call(socket, error);
    },
  });
  return calls;
}

/** What the framework prints about a failed handler is seen by the program's people, too. */
function watchConsole(run: Run): () => void {
  const spy = jest.spyOn(console, 'error').mockImplementation((...args: unknown[]) => {
    run.note(`console.error ${describeText(String(args[0]).split('\n')[0] ?? '')}`);
  });
  return () => spy.mockRestore();
}

/** Only the date differs between two runs. */
function withoutDate(text: string): string {
  return text.replace(/^Date: .*$/gim, 'Date: *');
}

async function within(ms: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it waits for something that does not come')), ms);
  });
  try {
    await Promise.race([work(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
