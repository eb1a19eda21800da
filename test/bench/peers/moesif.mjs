import { setTimeout as wait } from 'node:timers/promises';
import moesif from 'moesif-nodejs';
import { allowLoopbackOnly } from './loopback-only.mjs';

const BATCH_MAX_MS = 2_000;
const DRAIN_LIMIT_MS = 15_000;

/** Both bodies up to 1 MiB (100,000 bytes by default), in batches of 200, to the sink that `baseUri` names. */
export async function start({ sinkUrl }) {
  allowLoopbackOnly();
  let sentAt = performance.now();
  const middleware = moesif({
    // It asks for one of some length.
    applicationId: 'none'.padEnd(64, '-'),
    baseUri: sinkUrl,
    logBody: true,
    batchSize: 200,
    batchMaxTime: BATCH_MAX_MS,
    requestMaxBodySize: 1024 * 1024,
    responseMaxBodySize: 1024 * 1024,
    callback: () => (sentAt = performance.now()),
  });
  return {
    before: [middleware],
    finish: async () => {
      // It has no way to send the rest at once; its last batch leaves after so long.
      const until = performance.now() + DRAIN_LIMIT_MS;
      await wait(BATCH_MAX_MS * 1.2);
      while (performance.now() - sentAt < 500 && performance.now() < until) await wait(50);
      return {};
    },
  };
}
