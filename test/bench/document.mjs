import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { drawBars } from './chart.mjs';
import { against, FIGURES, judge } from './figures.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { describeScenario, judgementTable, roundsText, tableOf } from './tables.mjs';
import { VARIANTS } from './variants.mjs';

const LOCKFILES = ['../../package-lock.json', './peers/package-lock.json'];
const DOCS = fileURLToPath(new URL('../../docs/benchmarks/', import.meta.url));
const MEASURED = 'results.json';

/**
 * Writes docs/benchmarks: what was measured now, beside what was measured before and not now.
 *
 * @param {object[]} reports of scenarios that could be measured
 */
export async function writeDocument(reports, machine, folder = DOCS) {
  await mkdir(folder, { recursive: true });
  const scenarios = await readMeasured(folder);
  for (const { scenario, rounds, seconds, postgres, results, leftOut } of reports) {
    scenarios[scenario.name] = { machine, rounds, seconds, postgres, leftOut, results: rounded(results) };
  }
  const measured = SCENARIOS.filter(({ name }) => name in scenarios).map((scenario) => ({
    scenario,
    ...scenarios[scenario.name],
  }));
  for (const one of measured) {
    if (one.scenario.chart) await write(join(folder, `${one.scenario.name}.svg`), chartOf(one));
  }
  await write(join(folder, MEASURED), JSON.stringify({ scenarios }));
  await write(join(folder, 'README.md'), pageOf(measured, await lockedVersions()));
  return folder;
}

async function readMeasured(folder) {
  try {
    return JSON.parse(await readFile(join(folder, MEASURED), 'utf8')).scenarios;
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}

/** Of each package that is installed for the benchmark or at the root. */
async function lockedVersions() {
  const versions = {};
  for (const path of LOCKFILES) {
    const { packages } = JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8'));
    for (const [place, { version }] of Object.entries(packages)) {
      const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(place) ?? [];
      if (name !== undefined) versions[name] ??= version;
    }
  }
  return versions;
}

async function write(path, text) {
  const settings = { ...(await resolveConfig(DOCS)), filepath: path };
  await writeFile(path, path.endsWith('.svg') ? text : await format(text, settings));
}

function rounded(results) {
  const round = (key, value) =>
    Number.isInteger(value) || typeof value !== 'number' ? value : Number(value.toPrecision(5));
  return JSON.parse(JSON.stringify(results, round));
}

function chartOf({ scenario, results }) {
  const { bare, ...others } = results;
  const bars = Object.entries(others).map(([name, own]) => {
    const { median, least, most } = against(scenario.chart, own, bare);
    const kind = name.startsWith('recap') ? 'own' : 'other';
    const text = [median.toFixed(2), noteOf(name, own)].filter(Boolean).join(', ');
    return { label: VARIANTS[name].label, value: median, least, most, text, kind };
  });
  return drawBars({
    title: `${FIGURES[scenario.chart].text}, bare program = 1`,
    subtitle: describeScenario(scenario),
    bars: [{ label: 'bare', value: 1, least: 1, most: 1, text: '1.00', kind: 'base' }, ...bars],
  });
}

/** What a bar is paid for: a variant that keeps less has less to do. */
function noteOf(name, own) {
  const sum = (key) => own.reduce((total, each) => total + each[key], 0);
  const kept = 1 - (sum('lost') + sum('shed')) / sum('answered');
  return kept < 0.995 ? `${Math.round(kept * 100)} % stored` : VARIANTS[name].chartNote;
}

function pageOf(measured, versions) {
  const machines = [...new Set(measured.map(({ machine }) => machine))];
  const verdicts = measured.flatMap(({ scenario, results }) =>
    judge(scenario.gates, results).map((verdict) => ({ scenario: scenario.name, ...verdict })),
  );
  const isUsed = (name) => measured.some(({ results }) => name in results);
  return [
    INTRODUCTION,
    machines.map((machine) => `- ${machine}`).join('\n'),
    ...(measured.some(({ rounds }) => rounds < CITABLE_ROUNDS) ? [HURRIED] : []),
    '## What has to hold',
    'Medians of the ratios or differences within a round, and their spread.',
    judgementTable(verdicts),
    ...measured.flatMap(sectionOf),
    '## What was compared',
    'Each with what it needs to keep both bodies, where it can.',
    Object.entries(VARIANTS)
      .filter(([name]) => isUsed(name))
      .map(([, variant]) => {
        const version = versions[variant.package];
        const named = version === undefined ? '' : ` (${variant.package} ${version})`;
        return `- **${variant.label}**${named}: ${variant.configuration}`;
      })
      .join('\n'),
    '',
  ].join('\n\n');
}

function sectionOf(report) {
  const { scenario, results, leftOut, hasOneBody } = report;
  return [
    `## ${scenario.name}`,
    `${describeScenario(scenario)}; ${roundsText(report)}.`,
    ...(scenario.chart ? [`![${describeScenario(scenario)}](${scenario.name}.svg)`] : []),
    tableOf(results),
    ...(hasOneBody ? ['Measured with the same body in all requests.'] : []),
    ...Object.entries(leftOut).map(([name, why]) => `Without ${VARIANTS[name].label}: ${why}.`),
  ];
}

/** Below, a spread says nothing. */
const CITABLE_ROUNDS = 3;
const HURRIED = `**Not to be cited**: some of it was measured in fewer than ${CITABLE_ROUNDS} rounds.`;

const INTRODUCTION = `# Benchmarks

Written by \`npm run bench\`; \`npm run bench -- --list\` shows what else can be measured. Compare figures within a table,
not across tables or machines. The storage backends have [a page of their own](storage.md).

The program parses the JSON that it is posted and answers it; no two requests are alike. Each measurement has a process of its own, and a file or
database of its own; two seconds warm it up. The variants take turns, and every other round goes backwards, so that a
busy moment of the machine hits all of them. Figures are medians of the rounds; a ratio or a difference is taken within a
round, and stands with the least and the most of them.

- *pinned*: the program has one core with all its threads, a worker's too, and the load has another. *Spare*: nothing is
  pinned; the program's threads and the load share the cores.
- Saturated: as many requests as are answered, over kept-alive connections. At a fixed rate, requests leave when they are
  due, however long answers take, and the clock runs from when they were due.
- *main thread µs* and *process µs* are worked, per request, what is written after the load included; *loop delay* is beyond a timer's
  own 5 ms; *load late* is by how much the load itself sent after a request was due; *peak* is the most resident memory.
- *stored* is counted in the database, the file or the sink when all is over, the warm-up's requests included. An exchange of
  Recap or of the naive recorder that is neither stored nor counted as shed fails the run, and *without bodies* are those that an overload left without. The others may drop:
  *lost* says how many.

Measured on:`;
