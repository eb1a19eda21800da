import { BROKEN_RECORDERS, brokenRecording, FALSE_RECORDS, NOT_ON_EXPRESS } from './broken-recorders';
import { CASES } from './cases';
import { untruths } from './check-records';
import { differences } from './compare';
import { reportFigures } from './figures';
import type { FidelityCase } from './fidelity-case';
import { HOSTS, hostsOf, type Host } from './hosts';
import { openRecap } from './recap';
import { runCase, type Observation } from './run-case';

/** A broken recorder may leave a client waiting, which is a difference as well. */
const DEADLINE_MS = 1_500;

jest.setTimeout(120_000);

let broken = 0;
let brokenFound = 0;
afterAll(() => reportFigures({ broken, brokenFound }));

const hosts = HOSTS.filter(({ name }) => name === 'Express 5' || name === 'Koa 3');

describe.each(hosts.map((host) => [host.name, host] as const))('the rig on %s', (_host, host) => {
  const bare = new Map<FidelityCase, Observation>();
  const cases = CASES.filter((each) => hostsOf(each).includes(host));

  const bareRun = async (each: FidelityCase): Promise<Observation> => {
    const known = bare.get(each) ?? (await runCase(each, host, undefined));
    bare.set(each, known);
    return known;
  };

  const recorders = Object.entries(BROKEN_RECORDERS).filter(
    ([name]) => !host.isExpress || !NOT_ON_EXPRESS.has(name),
  );
  it.each(recorders)('finds that %s', async (_name, recorder) => {
    broken += 1;
    expect(await firstDifference(cases, host, bareRun, recorder)).not.toEqual([]);
    brokenFound += 1;
  });

  it.each(Object.entries(FALSE_RECORDS))('finds that %s', async (_name, falsify) => {
    broken += 1;
    expect(await firstUntruth(cases, host, falsify)).not.toEqual([]);
    brokenFound += 1;
  });
});

async function firstDifference(
  cases: readonly FidelityCase[],
  host: Host,
  bareRun: (each: FidelityCase) => Promise<Observation>,
  broken: Parameters<typeof brokenRecording>[0],
): Promise<string[]> {
  for (const each of cases) {
    const found = differences(
      await bareRun(each),
      await runCase(each, host, brokenRecording(broken), DEADLINE_MS),
    );
    if (found.length > 0) return [each.name, ...found];
  }
  return [];
}

/** The true records are made once for each case: only what is made of them differs. */
const recorded = new Map<
  string,
  { seen: Observation; entries: Awaited<ReturnType<ReturnType<typeof openRecap>['entries']>> }
>();

async function firstUntruth(
  cases: readonly FidelityCase[],
  host: Host,
  falsify: (typeof FALSE_RECORDS)[string],
): Promise<string[]> {
  for (const each of cases) {
    const key = `${host.name} ${each.name}`;
    let run = recorded.get(key);
    if (run === undefined) {
      const recap = openRecap();
      const seen = await runCase(each, host, recap);
      run = { seen, entries: await recap.entries() };
      await recap.close();
      recorded.set(key, run);
    }
    const found = untruths(each, run.seen, falsify(run.entries));
    if (found.length > 0) return [each.name, ...found];
  }
  return [];
}
