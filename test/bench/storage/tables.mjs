import { median } from '../figures.mjs';
import { labelOf, textOf } from './plan.mjs';
import { ratioOf, sameOf } from './verdicts.mjs';

const row = (cells) => `| ${cells.join(' | ')} |`;

/** What was measured on a backend, an operation after the other, as a table of Markdown. */
export function tableOf(backend, results) {
  const medianOf = ({ rounds }, key) => median(rounds.map((round) => round[key]));
  const lines = results.map((result) => {
    const { subject, operation, callers } = result;
    const against = (other) => {
      const found = subject === other ? undefined : sameOf(other, result, results);
      return found === undefined ? '–' : ratioText(ratioOf(result, found));
    };
    return row([
      textOf(operation),
      callers,
      labelOf(subject, backend),
      countText(medianOf(result, 'perSecond')),
      against('raw'),
      against('keyv'),
      millisecondsText(medianOf(result, 'p50')),
      millisecondsText(medianOf(result, 'p99')),
      medianOf(result, 'cpuMicros').toPrecision(3),
    ]);
  });
  const titles = [
    'operation',
    'callers',
    '',
    'operations/s',
    `of ${labelOf('raw', backend)}`,
    'of keyv',
    'p50 ms',
    'p99 ms',
    'CPU µs',
  ];
  return [row(titles), row(['---', '--:', '---', ...titles.slice(3).map(() => '--:')]), ...lines].join('\n');
}

/** What was seen for every gate, as a table of Markdown. */
export function verdictTable(verdicts) {
  const lines = verdicts.map((verdict) =>
    row([verdict.backend, verdict.what, numberText(verdict.gate, verdict), seenText(verdict), verdict.state]),
  );
  return [row(['backend', 'what', 'gate', 'seen', '']), '| --- | --- | --: | --: | --- |', ...lines].join(
    '\n',
  );
}

export function verdictLine(verdict) {
  const { backend, what, gate, state } = verdict;
  const outcome = state === 'not measured' ? state : `${seenText(verdict)}, ${state.toUpperCase()}`;
  return `${backend}, ${what}: ${outcome} (gate ${numberText(gate, verdict)})`;
}

function seenText(verdict) {
  const { state, median: middle, least, most } = verdict;
  if (state === 'not measured') return '–';
  const [seen, from, to] = [middle, least, most].map((value) => numberText(value, verdict));
  return `${seen} (${from} to ${to})`;
}

const numberText = (value, { against }) => (against === undefined ? countText(value) : value.toFixed(2));

export function ratioText({ median: middle, least, most }) {
  return `${middle.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

function countText(value) {
  return Math.round(value).toLocaleString('en');
}

function millisecondsText(value) {
  return value >= 0.1 ? value.toFixed(2) : value.toPrecision(2);
}
