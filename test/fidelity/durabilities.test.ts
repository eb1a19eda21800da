import type { ExchangeSpool } from '../../packages/capture/src/recorder/exchange-spool';
import { CASES } from './cases';
import type { FidelityCase } from './fidelity-case';
import { hostsOf, type Host } from './hosts';
import { openRecap, type Recap } from './recap';
import { runCase, type Observation } from './run-case';

jest.setTimeout(60_000);

const ON = new Set(['Express 5', 'Koa 3', 'Koa 3, HTTP/2']);

/** Where a client gets something else, and why. */
const GATHERED = {
  'A Content-Length that is held to':
    'the program destroys the connection before Node has written what it gathers in one turn; here that waits for the commit or the journal',
};
const DIFFERENT_IN_STRICT: Readonly<Record<string, string>> = {
  ...GATHERED,
  'write after end in a later turn':
    'over HTTP/2 the program’s mistake resets the stream, and whether the answer has left by then is chance',
};
const DIFFERENT_IN_SPOOLED: Readonly<Record<string, string>> = {
  ...GATHERED,
  'end twice with callbacks':
    'the second end finds the first still going out, as with a slow client, and is called back with it instead of with an error',
};

/** Takes everything, and has nothing to give back. */
const spool: ExchangeSpool = {
  fill: 0,
  counts: { spooled: 0, recovered: 0, replayed: 0, corrupt: 0, shed: {} },
  append: () => ({ record: undefined }),
  appendAll: (exchanges, onSpooled) =>
    exchanges.map(() => {
      onSpooled();
      return { record: undefined };
    }),
  done: () => undefined,
  defer: () => undefined,
  start: () => undefined,
  drain: () => Promise.resolve(),
  leaveGaps: () => undefined,
  takeGaps: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** What the client sees. The date, and the order of what two processes do, are chance. */
function seenByClient({ received, http2, failure }: Observation): object {
  const headers = http2?.headers.filter(([name]) => name !== 'date');
  return { received, http2: http2 && { ...http2, headers }, failure };
}

/** What the program calls, and what it gets and is thrown; and of what it is told, what, but not at which call. */
function seenByBoth(observation: Observation): object {
  const calls = observation.log.filter((line) => CALL.test(line));
  const events = observation.log.filter((line) => !CALL.test(line) && !line.startsWith(' at close:'));
  return { ...seenByClient(observation), calls, events: events.sort() };
}
const CALL = /^ \d+ \S+ (->|throws )/;

async function differs(
  fidelityCase: FidelityCase,
  host: Host,
  recap: Recap,
  seen: (observation: Observation) => object,
): Promise<boolean> {
  const bare = await runCase(fidelityCase, host, undefined);
  const recorded = await runCase(fidelityCase, host, recap);
  await recap.close();
  expect(recap.failures).toEqual([]);
  return JSON.stringify(seen(bare)) !== JSON.stringify(seen(recorded));
}

async function differences(
  topic: string,
  open: () => Recap,
  seen: (observation: Observation) => object,
  known: Readonly<Record<string, string>>,
): Promise<string[]> {
  const different: string[] = [];
  for (const fidelityCase of CASES.filter((each) => each.topic === topic && !(each.name in known))) {
    for (const host of hostsOf(fidelityCase).filter(({ name }) => ON.has(name))) {
      if (await differs(fidelityCase, host, open(), seen))
        different.push(`${fidelityCase.name} on ${host.name}`);
    }
  }
  return different;
}

const TOPICS = [...new Set(CASES.map(({ topic }) => topic))];

describe('with durability "strict", while the store is well', () => {
  it.each(TOPICS)('a client gets what the bare program sends: %s', async (topic) => {
    expect(
      await differences(topic, () => openRecap({ durability: 'strict' }), seenByClient, DIFFERENT_IN_STRICT),
    ).toEqual([]);
  });
});

describe('with durability "spooled"', () => {
  it.each(TOPICS)('a client and the program see what they see without Recap: %s', async (topic) => {
    const open = (): Recap => openRecap({ durability: 'spooled' }, undefined, spool);
    expect(await differences(topic, open, seenByBoth, DIFFERENT_IN_SPOOLED)).toEqual([]);
  });
});
