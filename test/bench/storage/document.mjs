import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { drawBars } from '../chart.mjs';
import { BACKENDS, labelOf, SUBJECTS, textOf } from './plan.mjs';
import { tableOf, verdictTable } from './tables.mjs';
import { judge, ratioOf, sameOf } from './verdicts.mjs';

const DOCS = fileURLToPath(new URL('../../../docs/benchmarks/', import.meta.url));
const MEASURED = 'storage.json';
const CHARTED_CALLERS = 64;
/** Below, a spread says nothing. */
const CITABLE_ROUNDS = 3;

/**
 * Writes docs/benchmarks/storage.md: what was measured now, beside what was measured before and not now.
 *
 * @param {object[]} reports of backends that could be measured
 */
export async function writeStorageDocument(reports, machine, folder = DOCS) {
  await mkdir(folder, { recursive: true });
  const backends = await readMeasured(folder);
  for (const { backend, failure: _failure, ...report } of reports) backends[backend] = { machine, ...report };
  const measured = Object.keys(BACKENDS)
    .filter((backend) => backend in backends)
    .map((backend) => ({ backend, ...backends[backend] }));
  for (const report of measured) await writeFile(join(folder, chartName(report)), chartOf(report));
  await write(join(folder, MEASURED), JSON.stringify({ backends }, rounded));
  await write(join(folder, 'storage.md'), pageOf(measured));
  return join(folder, 'storage.md');
}

async function readMeasured(folder) {
  try {
    return JSON.parse(await readFile(join(folder, MEASURED), 'utf8')).backends;
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}

async function write(path, text) {
  const settings = { ...(await resolveConfig(DOCS)), filepath: path };
  await writeFile(path, await format(text, settings));
}

function rounded(_key, value) {
  return typeof value !== 'number' || Number.isInteger(value) ? value : Number(value.toPrecision(5));
}

const chartName = ({ backend }) => `storage-${backend}.svg`;

function chartOf({ backend, results }) {
  const bars = results
    .filter(({ subject, callers }) => subject !== 'raw' && callers === CHARTED_CALLERS)
    .flatMap((result) => {
      const { subject, operation } = result;
      const raw = sameOf('raw', result, results);
      if (raw === undefined) return [];
      const seen = ratioOf(result, raw);
      const kind = subject === 'keyv' ? 'other' : 'own';
      const label = `${textOf(operation)}, ${labelOf(subject, backend)}`;
      return [{ label, value: seen.median, ...seen, text: seen.median.toFixed(2), kind }];
    });
  const driver = labelOf('raw', backend);
  return drawBars({
    title: `${BACKENDS[backend].label}: operations/s, ${driver} = 1`,
    subtitle: `1 KB values, ${CHARTED_CALLERS} callers; ${BACKENDS[backend].server}`,
    bars: [{ label: driver, value: 1, least: 1, most: 1, text: '1.00', kind: 'base' }, ...bars],
  });
}

function pageOf(measured) {
  const machines = [...new Set(measured.map(({ machine }) => machine))];
  const verdicts = Object.keys(BACKENDS).flatMap((backend) =>
    judge(backend, measured.find((report) => report.backend === backend)?.results ?? []),
  );
  return [
    INTRODUCTION,
    machines.length === 0
      ? 'Nothing has been measured yet.'
      : `Measured on:\n\n${machines.map((machine) => `- ${machine}`).join('\n')}`,
    ...(measured.some(({ rounds }) => rounds < CITABLE_ROUNDS)
      ? [`**Not to be cited**: some of it was measured in fewer than ${CITABLE_ROUNDS} rounds.`]
      : []),
    '## What has to hold',
    'Medians of the ratios within a round, and their spread, with 64 callers.',
    verdictTable(verdicts),
    ...measured.flatMap(sectionOf),
    '## What was compared',
    Object.values(SUBJECTS)
      .filter(({ isForTests }) => !isForTests)
      .map(({ label, configuration }) => `- **${label}**: ${configuration}`)
      .join('\n'),
    '',
  ].join('\n\n');
}

function sectionOf(report) {
  const { backend, server, rounds, ms, results, leftOut } = report;
  const { label, server: description } = BACKENDS[backend];
  const version = server === undefined ? '' : ` ${server}`;
  return [
    `## ${label}`,
    `${label}${version}, ${description}; ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${ms} ms.`,
    `![${label}: operations/s beside ${labelOf('raw', backend)}](${chartName(report)})`,
    tableOf(backend, results),
    ...Object.entries(leftOut).map(([subject, why]) => `Without ${labelOf(subject, backend)}: ${why}`),
  ];
}

const INTRODUCTION = `# Benchmarks of the storage backends

Written by \`npm run bench -- --storage --write\`. Compare figures within a table, not across tables or machines.

Values are JSON of 1 KB; 1,024 of them are there before, and each caller awaits one operation after the other. A scan reads
a page of 100 values. Each subject has a process and a database of its own; each operation is warmed up for as long as a
round takes, and three seconds at least. The subjects take turns, and every other round goes backwards, so that a busy moment of
the machine hits all of them. PostgreSQL is vacuumed before each operation. Figures are medians of the rounds; a ratio is
taken within a round, and stands with the least and the most of them. _CPU µs_ is what the process of the program works for
an operation, on all of its threads.

A read counts only when it found what was asked for. After each round of writes, the items are counted and some of them are
read again; what is missing fails the run.`;
