import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BROKEN_RECORDERS, FALSE_RECORDS } from './broken-recorders';
import { CASES } from './cases';
import { TOPICS, type Topic } from './fidelity-case';
import { hostsOf, type HostName } from './hosts';

const PAGE = join(__dirname, '../../docs/guides/fidelity.md');
const COLUMNS: readonly (readonly [title: string, hosts: readonly HostName[]])[] = [
  ['Express 4', ['Express 4']],
  ['Express 5', ['Express 5']],
  ['Koa 2', ['Koa 2']],
  ['Koa 3', ['Koa 3']],
  ['HTTP/2', ['Koa 2, HTTP/2', 'Koa 3, HTTP/2']],
];

function row(cells: readonly string[], widths: readonly number[]): string {
  return `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((each) => each[index]?.length ?? 0)));
  const [head = [], ...rest] = rows;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [row(head, widths), rule, ...rest.map((each) => row(each, widths))];
}

/** The part of the page that is made from the rig. */
function generated(): string {
  const topics = Object.keys(TOPICS) as Topic[];
  const tables = topics.flatMap((topic) => {
    const cases = CASES.filter((each) => each.topic === topic);
    const rows = cases.map((each) => {
      const on = new Set(hostsOf(each).map(({ name }) => name));
      const marks = COLUMNS.map(([, hosts]) => (hosts.some((host) => on.has(host)) ? 'yes' : ''));
      return [each.name.replace(/([_*`|<>])/g, '\\$1'), ...marks];
    });
    const head = ['program', ...COLUMNS.map(([title]) => title)];
    return [`### ${TOPICS[topic]}`, '', ...table([head, ...rows]), ''];
  });
  const broken = [...Object.keys(BROKEN_RECORDERS), ...Object.keys(FALSE_RECORDS)];
  return [
    `## The ${CASES.length} programs`,
    '',
    ...tables,
    `## The ${broken.length} broken recorders that the rig finds`,
    '',
    ...broken.map((name) => `- ${name}`),
    '',
  ].join('\n');
}

describe('the guide to fidelity', () => {
  it('lists the programs and the broken recorders that there are', () => {
    const page = readFileSync(PAGE, 'utf8');
    const start = page.indexOf('## The ');
    const wanted = page.slice(0, start) + generated();
    if (process.env['FIDELITY_WRITE_GUIDE'] === '1') writeFileSync(PAGE, wanted);
    // Written by `npm run test:fidelity -- --write-guide`.
    expect(readFileSync(PAGE, 'utf8')).toBe(wanted);
  });
});
