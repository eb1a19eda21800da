import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const page = readFileSync(join(root, 'docs/guides/faults.md'), 'utf8');
const namesIn = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => name.slice(0, -'.test.ts'.length));

describe('the page of faults', () => {
  it('names test files that are there, and each of the suite', () => {
    const named = [...page.matchAll(/\| `([a-z-]+)`( \(unit\))? +\|$/gm)];
    const ofSuite = named.filter(([, , unit]) => unit === undefined).map(([, name]) => name);
    const units = named.filter(([, , unit]) => unit !== undefined).map(([, name]) => name);
    const rig = ['broken-recorders', 'check-ledger'];
    expect([...new Set([...ofSuite, ...rig])].sort()).toEqual(namesIn('test/faults').sort());
    expect(namesIn('packages/capture/test/spool')).toEqual(expect.arrayContaining(units));
  });
});
