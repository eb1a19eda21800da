import { CASES } from './cases';
import { differences } from './compare';
import { hostsOf } from './hosts';
import { openRecap } from './recap';
import { runCase } from './run-case';
jest.setTimeout(110_000);
it('strict', async () => {
  let n = 0;
  const out: string[] = [];
  for (const c of CASES) for (const host of hostsOf(c)) {
    if (process.env['HOSTS'] !== undefined && !process.env['HOSTS'].split('|').includes(host.name)) continue;
    n += 1;
    const bare = await runCase(c, host, undefined, 3000);
    const recap = openRecap({ durability: (process.env['DUR'] ?? 'strict') as 'strict' });
    const rec = await runCase(c, host, recap, 3000);
    const d = differences(process.env['ALL'] ? bare : { ...bare, log: [], clientLog: [], sent: [] }, process.env['ALL'] ? rec : { ...rec, log: [], clientLog: [], sent: [] });
    if (bare.http2 && JSON.stringify(bare.http2) !== JSON.stringify(rec.http2)) d.push(`http2 ${JSON.stringify(bare.http2)} // ${JSON.stringify(rec.http2)}`);
    if (bare.failure !== rec.failure) d.push(`failure ${bare.failure} / ${rec.failure}`);
    await recap.entries().catch((e) => d.push('entries ' + e));
    const fails = recap.failures.map(({ where, error }) => `${where}: ${String(error)}`);
    await recap.close();
    if (d.length + fails.length) out.push(`### ${c.name} on ${host.name}\n${[...d, ...fails].join('\n').slice(0, 1500)}`);
  }
  require('fs').writeFileSync('/tmp/strict-fid.txt', `${n} runs, ${out.length} differ\n` + out.join('\n'));
});
