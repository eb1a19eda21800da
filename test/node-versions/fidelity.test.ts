import { CASES } from '../fidelity/cases';
import { checkCase } from '../fidelity/check-case';
import { hostsOf, type HostName } from '../fidelity/hosts';

// More than a run's own deadline, whose message says more.
jest.setTimeout(60_000);

/** What differs between versions of Node lies below the frameworks. */
const HOSTS: ReadonlySet<HostName> = new Set(['Express 5', 'Koa 3', 'Koa 3, HTTP/2']);

const runs = CASES.flatMap((each) =>
  hostsOf(each)
    .filter(({ name }) => HOSTS.has(name))
    .map((host) => [each.name, host.name, each, host] as const),
);

it.each(runs)('%s: is the same with Recap on %s', async (_name, _host, fidelityCase, host) => {
  expect(await checkCase(fidelityCase, host)).toEqual([]);
});
