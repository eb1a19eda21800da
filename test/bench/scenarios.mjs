const saturated = (connections = 32) => ({ kind: 'saturated', connections });
const paced = (perSecond) => ({ kind: 'paced', perSecond });

const KIB = 1024;
const throughput = (gate, aim, of = 'recap', against = 'bare') => ({
  figure: 'throughput',
  of,
  against,
  gate,
  aim,
});

/**
 * What `npm run bench` measures. `gates` must hold (`gate`), or say whether what is aimed at is reached (`aim`);
 * `seconds` and `rounds` are what the scenario takes unless it is told otherwise; those without `isDefault` run when
 * they are named.
 */
export const SCENARIOS = [
  {
    name: 'express-1k-spare',
    framework: 'express',
    bytes: KIB,
    layout: 'spare',
    load: saturated(),
    variants: ['bare', 'recap', 'recap-inline', 'recap-spooled', 'morgan', 'pino-http'],
    gates: [
      throughput(0.86, 0.92),
      { figure: 'addedMainMicros', of: 'recap', against: 'bare', gate: 15, aim: 10 },
      throughput(0.75, 0.9, 'recap-spooled', 'recap'),
    ],
  },
  {
    name: 'express-1k-pinned',
    framework: 'express',
    bytes: KIB,
    layout: 'pinned',
    load: saturated(),
    variants: ['bare', 'recap', 'recap-inline', 'pino-http'],
    gates: [throughput(0.62, 0.7), throughput(undefined, 1, 'recap', 'pino-http')],
  },
  {
    name: 'express-10k-pinned',
    framework: 'express',
    bytes: 10 * KIB,
    layout: 'pinned',
    load: saturated(),
    variants: ['bare', 'recap', 'recap-inline'],
    gates: [throughput(0.42, 0.5)],
  },
  {
    name: 'express-10k-spare',
    framework: 'express',
    bytes: 10 * KIB,
    layout: 'spare',
    load: saturated(),
    variants: ['bare', 'recap', 'recap-inline'],
    gates: [throughput(0.78, 0.85)],
  },
  {
    name: 'koa-1k-pinned',
    framework: 'koa',
    bytes: KIB,
    layout: 'pinned',
    load: saturated(),
    variants: ['bare', 'recap', 'recap-inline'],
    gates: [throughput(0.7, 0.78)],
  },
  {
    name: 'postgres-1k-spare',
    framework: 'express',
    bytes: KIB,
    layout: 'spare',
    load: saturated(),
    variants: ['bare', 'recap-postgres', 'recap-postgres-inline'],
    gates: [throughput(0.78, 0.85, 'recap-postgres')],
  },
  {
    name: 'strict-1k-spare',
    framework: 'express',
    bytes: KIB,
    layout: 'spare',
    load: saturated(64),
    variants: ['bare', 'recap', 'recap-strict'],
    gates: [throughput(0.5, 0.75, 'recap-strict', 'recap')],
  },
  {
    name: 'rate-1000-pinned',
    framework: 'express',
    bytes: KIB,
    layout: 'pinned',
    load: paced(1000),
    seconds: 6,
    variants: ['bare', 'recap', 'pino-http'],
    gates: [{ figure: 'p99', of: 'recap', against: 'bare', gate: 1.2, aim: 1.05 }],
  },
  {
    name: 'empty-route',
    framework: 'express',
    bytes: 0,
    layout: 'spare',
    load: { kind: 'in turns', requests: 20_000, method: 'GET', path: '/empty' },
    variants: ['bare', 'recap'],
    gates: [
      { figure: 'addedP50', of: 'recap', against: 'bare', gate: 0.05, aim: 0.02 },
      { figure: 'addedP99', of: 'recap', against: 'bare', gate: 0.3, aim: 0.15 },
    ],
  },
].map((scenario) => ({ isDefault: true, ...scenario }));
