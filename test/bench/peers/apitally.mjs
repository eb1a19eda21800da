import { setTimeout as wait } from 'node:timers/promises';
import { useApitally } from 'apitally/express';
import { allowLoopbackOnly } from './loopback-only.mjs';

// It writes out each second what it keeps, and begins to send half a second after its start.
const WRITE_INTERVAL_MS = 1_000;

/** Headers and bodies of both sides, sent to the sink that APITALLY_HUB_BASE_URL names. */
export async function start({ sinkUrl }) {
  if (process.env.APITALLY_HUB_BASE_URL !== sinkUrl) throw new Error('APITALLY_HUB_BASE_URL is not the sink');
  allowLoopbackOnly();
  const client = {
    clientId: '00000000-0000-4000-8000-000000000000',
    env: 'bench',
    requestLogging: {
      enabled: true,
      logRequestHeaders: true,
      logRequestBody: true,
      logResponseHeaders: true,
      logResponseBody: true,
    },
  };
  return {
    beforeParser: (app) => useApitally(app, client),
    finish: async () => {
      await wait(WRITE_INTERVAL_MS * 1.5);
      // Not among what the package exports: how it sends the rest when a program ends.
      const { ApitallyClient } = await import('./node_modules/apitally/dist/common/client.js');
      await ApitallyClient.shutdown();
      return {};
    },
  };
}
