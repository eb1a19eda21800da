import { quantile } from '../figures.mjs';
import { NodeProcess } from '../node-process.mjs';

/** Posts so many bodies a second, whatever the answers do. */
export async function pace({ port, bodyBytes, seconds, perSecond, prefix }) {
  const settings = { port, path: '/echo', bodyBytes, seconds, perSecond, hasOwnCore: prefix.length > 0 };
  const client = new NodeProcess('the paced load', prefix, './load/paced-client.mjs', settings);
  try {
    const seen = await client.answer();
    return {
      perSecond: seen.perSecond,
      p50: quantile(seen.latencies, 0.5),
      p99: quantile(seen.latencies, 0.99),
      lateP99: quantile(seen.lateness, 0.99),
      failures: seen.failures,
    };
  } finally {
    await client.stop();
  }
}
