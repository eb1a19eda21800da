import { CASES } from './cases';
import { checkCase } from './check-case';
import { reportFigures } from './figures';
import { hostsOf } from './hosts';

// More than a run's own deadline, whose message says more.
jest.setTimeout(60_000);

let comparisons = 0;
let differences = 0;
afterAll(() => reportFigures({ cases: CASES.length, comparisons, differences }));

describe.each(CASES.map((each) => [each.name, each] as const))('%s', (_name, fidelityCase) => {
  it.each(hostsOf(fidelityCase).map((host) => [host.name, host] as const))(
    'is the same with Recap on %s',
    async (_host, host) => {
      comparisons += 1;
      const wrong = await checkCase(fidelityCase, host);
      differences += wrong.length;
      expect(wrong).toEqual([]);
    },
  );
});

describe('the cases', () => {
  it('have names of their own', () => {
    const names = CASES.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('are at least 150 on each of the four frameworks', () => {
    for (const name of ['Express 4', 'Express 5', 'Koa 2', 'Koa 3']) {
      const own = CASES.filter((each) => hostsOf(each).some((host) => host.name === name));
      expect(own.length).toBeGreaterThanOrEqual(150);
    }
  });
});
