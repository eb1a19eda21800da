import { against, median } from './figures.mjs';
import { VARIANTS } from './variants.mjs';

const FRAMEWORKS = { express: 'Express 5', koa: 'Koa 3', nest: 'NestJS 11' };
const LAYOUTS = { pinned: 'one pinned core', spare: 'spare core' };

export function sizeText(bytes) {
  return bytes % 1024 === 0 ? `${bytes / 1024} KB` : `${bytes} bytes`;
}

function loadText({ load, bytes }) {
  if (load.kind === 'in turns')
    return `${load.method} ${load.path}, ${load.requests} requests one after the other`;
  const body = `${sizeText(bytes)} of JSON each way`;
  if (load.kind === 'paced') return `${body}, ${load.perSecond} requests/s`;
  return `${body}, ${load.connections} connections, saturated`;
}

/** What a scenario is, in a line. */
export function describeScenario(scenario) {
  return `${FRAMEWORKS[scenario.framework]}, ${loadText(scenario)}, ${LAYOUTS[scenario.layout]}`;
}

/** How long a scenario was measured, and on which server. */
export function roundsText({ scenario, rounds, seconds, postgres }) {
  const length = scenario.load.kind === 'in turns' ? '' : ` of ${seconds} s`;
  const server = postgres === undefined ? '' : `; PostgreSQL ${postgres}`;
  return `${rounds} ${rounds === 1 ? 'round' : 'rounds'}${length}${server}`;
}

const COLUMNS = [
  ['requests/s', (own) => figure(own, 'perSecond', 0)],
  ['requests/s of bare', (own, bare) => bare && ratio('throughput', own, bare)],
  ['p50 ms', (own) => figure(own, 'p50', 2)],
  ['p99 ms', (own) => figure(own, 'p99', 2)],
  ['p99 of bare', (own, bare) => bare && ratio('p99', own, bare)],
  ['load late p99 ms', (own) => figure(own, 'lateP99', 2)],
  ['main thread µs', (own) => figure(own, 'mainMicros', 0)],
  ['added', (own, bare) => bare && difference('addedMainMicros', own, bare)],
  ['process µs', (own) => figure(own, 'cpuMicros', 0)],
  ['loop delay p99 ms', (own) => figure(own, 'delayP99Ms', 1)],
  ['peak MiB', (own) => figure(own, 'peakMib', 0)],
  ['answered', (own) => sum(own, 'answered')],
  ['stored', (own, _bare, keeps) => keeps && sum(own, 'stored')],
  ['without bodies', (own, _bare, keeps) => keeps && sum(own, 'withoutBodies')],
  ['shed', (own, _bare, keeps) => keeps && sum(own, 'shed')],
  ['lost', (own, _bare, keeps) => keeps && sum(own, 'lost')],
];

/**
 * A scenario's measurements as a table of Markdown; µs are per request, what is said of bare is the median of ratios
 * within a round. Columns that nobody fills are left out.
 */
export function tableOf(results) {
  const names = Object.keys(results);
  const rows = names.map((name) => {
    const bare = name === 'bare' ? undefined : results.bare;
    return COLUMNS.map(([, cell]) => cell(results[name], bare, !VARIANTS[name].keepsNothing));
  });
  const isFilled = (_column, index) => rows.some((row) => row[index]);
  const line = (head, cells) => `| ${[head, ...cells.filter(isFilled)].join(' | ')} |`;
  const titles = COLUMNS.map(([title]) => title);
  const rules = COLUMNS.map(() => '--:');
  const cells = rows.map((row) => row.map((cell) => cell || '–'));
  return [
    line('variant', titles),
    line('---', rules),
    ...cells.map((row, index) => line(VARIANTS[names[index]].label, row)),
  ].join('\n');
}

/** What was seen for every gate, as a table of Markdown. */
export function judgementTable(verdicts) {
  const rows = verdicts.map(({ scenario, what, unit, gate, aim, state, isAimReached, ...seen }) => {
    const limit = (value) => (value === undefined ? '–' : `${limitText(value)}${unit}`);
    const isMeasured = state !== 'not measured';
    const figures = isMeasured
      ? `${precise(seen.median)}${unit} (${precise(seen.least)} to ${precise(seen.most)})`
      : '–';
    const outcome = !isMeasured || gate === undefined ? '' : state;
    const aimed = !isMeasured || aim === undefined ? '' : isAimReached ? 'aim reached' : 'aim not reached';
    const verdict = [outcome, aimed, wholeText(seen)].filter(Boolean).join(', ') || 'not measured';
    return `| ${scenario} | ${what} | ${limit(gate)} | ${limit(aim)} | ${figures} | ${verdict} |`;
  });
  return ['| scenario | what | gate | aim | seen | |', '| --- | --- | --: | --: | --: | --- |', ...rows].join(
    '\n',
  );
}

/** One line for each gate: what was seen, its spread, and whether that is enough. */
export function verdictLines(verdicts) {
  return verdicts.map((verdict) => {
    const { what, unit, gate, aim, state, isAimReached } = verdict;
    const limits = Object.entries({ gate, aim })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name} ${limitText(value)}`);
    if (state === 'not measured') return `${what}: not measured (${limits.join(', ')})`;
    const [middle, least, most] = [verdict.median, verdict.least, verdict.most].map(precise);
    const aimText = aim === undefined ? '' : isAimReached ? ', aim reached' : ', aim not reached';
    const gateText = gate === undefined ? '' : `, gate ${state === 'held' ? 'held' : 'MISSED'}`;
    const whole = wholeText(verdict) && `, ${wholeText(verdict)}`;
    return `${what}: ${middle}${unit} (${least} to ${most}; ${limits.join(', ')})${gateText}${aimText}${whole}`;
  });
}

function wholeText({ answered, notWhole }) {
  return notWhole > 0 ? `${notWhole} of ${answered} exchanges are not whole` : '';
}

function limitText(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

function precise(value) {
  const digits = Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 3;
  return value.toFixed(digits);
}

function figure(own, key, digits) {
  const value = median(own.map((each) => each[key]));
  return Number.isNaN(value) ? undefined : value.toFixed(digits);
}

function sum(own, key) {
  return String(own.reduce((total, each) => total + each[key], 0));
}

function ratio(name, own, bare) {
  const { median: middle, least, most } = against(name, own, bare);
  return `${middle.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

function difference(name, own, bare) {
  const { median: middle, least, most } = against(name, own, bare);
  if (Number.isNaN(middle)) return undefined;
  return `${middle.toFixed(0)} (${least.toFixed(0)} to ${most.toFixed(0)})`;
}
