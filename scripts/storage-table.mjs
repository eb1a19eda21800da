import { readFileSync } from 'node:fs';

const suites = ['backend', 'cache', 'database'];

/**
 * Suites × backends, from Jest's report and what the tests noted about servers.
 *
 * @param {string} reportPath of Jest's JSON
 * @param {string} serversPath of lines `{ name, server }`
 */
export function storageTable(reportPath, serversPath) {
  const counts = countTests(JSON.parse(readFileSync(reportPath, 'utf8')));
  const servers = readServers(serversPath);
  const head = ['backend', ...suites.map((suite) => `as a ${suite}`), 'ran on'];
  const rows = [...counts.keys()].sort().map((name) => {
    const cells = suites.map((suite) => cell(counts.get(name)?.get(suite)));
    return [name, ...cells, servers.get(name) ?? 'nothing: its server is missing'];
  });
  const widths = head.map((title, at) =>
    Math.max(...[head, ...rows].map((row) => row[at].length), title.length),
  );
  const line = (row) =>
    row
      .map((text, at) => text.padEnd(widths[at]))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n');
}

function countTests(report) {
  const counts = new Map();
  for (const { assertionResults } of report.testResults)
    for (const { ancestorTitles, status } of assertionResults) {
      const [, name, suite] =
        ancestorTitles.map((title) => /^(.+) as a (\w+)$/.exec(title)).find(Boolean) ?? [];
      if (!suites.includes(suite)) continue;
      const ofBackend = counts.get(name) ?? new Map();
      const ofSuite = ofBackend.get(suite) ?? { passed: 0, failed: 0, pending: 0 };
      ofSuite[status] = (ofSuite[status] ?? 0) + 1;
      counts.set(name, ofBackend.set(suite, ofSuite));
    }
  return counts;
}

function cell(count) {
  if (count === undefined) return '–';
  const { passed, failed, pending } = count;
  if (failed > 0) return `${failed} FAILED of ${passed + failed + pending}`;
  return passed === 0 ? `${pending} SKIPPED` : `${passed} passed`;
}

function readServers(path) {
  try {
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    return new Map(lines.map((line) => JSON.parse(line)).map(({ name, server }) => [name, server]));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return new Map();
  }
}
