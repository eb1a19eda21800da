import { CASES } from './cases';
import type { FidelityCase } from './fidelity-case';
import { hostsOf, type Host } from './hosts';
import { openRecap } from './recap';
import { runCase, type Observation } from './run-case';

jest.setTimeout(60_000);

const ON = new Set(['Express 5', 'Koa 3', 'Koa 3, HTTP/2']);

/** Where a client of `strict` gets something else, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'A Content-Length that is held to':
    'the program destroys the connection before Node has written what it gathers in one turn; here that waits for the commit',
  'write after end in a later turn':
    'over HTTP/2 the program’s mistake resets the stream, and whether the answer has left by then is chance',
};

/** What the client sees. The date, and the order of what two processes do, are chance. */
function seenByClient({ received, http2, failure }: Observation): unknown {
  const headers = http2?.headers.filter(([name]) => name !== 'date');
  return { received, http2: http2 && { ...http2, headers }, failure };
}

async function differs(fidelityCase: FidelityCase, host: Host): Promise<boolean> {
  const bare = await runCase(fidelityCase, host, undefined);
  const recap = openRecap({ durability: 'strict' });
  const recorded = await runCase(fidelityCase, host, recap);
  await recap.close();
  expect(recap.failures).toEqual([]);
  return JSON.stringify(seenByClient(bare)) !== JSON.stringify(seenByClient(recorded));
}

describe('what a client gets with durability "strict" while the store is well', () => {
  it.each([...new Set(CASES.map(({ topic }) => topic))])(
    'is what the bare program sends: %s',
    async (topic) => {
      const different: string[] = [];
      for (const fidelityCase of CASES.filter((each) => each.topic === topic && !(each.name in DIFFERENT))) {
        for (const host of hostsOf(fidelityCase).filter(({ name }) => ON.has(name))) {
          if (await differs(fidelityCase, host)) different.push(`${fidelityCase.name} on ${host.name}`);
        }
      }
      expect(different).toEqual([]);
    },
  );
});
