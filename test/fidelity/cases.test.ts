import { CASES } from './cases';
import { checkCase } from './check-case';
import { hostsOf } from './hosts';

// More than a run's own deadline, whose message says more.
jest.setTimeout(60_000);

describe.each(CASES.map((each) => [each.name, each] as const))('%s', (_name, fidelityCase) => {
  it.each(hostsOf(fidelityCase).map((host) => [host.name, host] as const))(
    'is the same with Recap on %s',
    async (_host, host) => {
      expect(await checkCase(fidelityCase, host)).toEqual([]);
    },
  );
});
