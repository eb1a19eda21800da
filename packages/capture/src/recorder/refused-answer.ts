import type { Exchange } from '../exchange';
import type { Refusal } from '../tap/held-answer';

const CODE = 'CAPTURE_UNAVAILABLE';

/** The answer in place of one whose exchange could not be committed. No `Retry-After`: what was asked for may be done. */
export function refusalFor(entryId: string): Refusal {
  const message =
    'The request was handled, but could not be recorded, so its answer is withheld. It may have had its effect.';
  return refusal(message, { entry_id: entryId });
}

/** The answer to a request that the program never saw. */
export const REFUSED_REQUEST = refusal(
  'The request was not handled, since it could not be recorded. It had no effect.',
  {},
);

function refusal(message: string, details: Readonly<Record<string, unknown>>): Refusal {
  const error = { code: CODE, message, details };
  const body = Buffer.from(JSON.stringify({ success: false, error }));
  return {
    status: 503,
    headers: [
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Content-Length', String(body.length)],
      ['Cache-Control', 'no-store'],
    ],
    body,
  };
}

/** The exchange as its client saw it. @param isReplaced false: its answer was broken off */
export function asRefused(
  exchange: Exchange,
  { status, headers, body }: Refusal,
  isReplaced: boolean,
): Exchange {
  const message = `The program answered ${exchange.status ?? 'nothing'}, which was withheld: it could not be committed.`;
  // A commit that was given up may come through yet, with the answer that was withheld.
  const failed: Exchange = {
    ...exchange,
    outcome: 'failed',
    error: { name: CODE, message },
    isCorrection: true,
  };
  const { delivery, method } = exchange;
  if (!isReplaced)
    return { ...failed, delivery: delivery && { ...delivery, closedBy: 'connection', sentBytes: undefined } };
  const sentBytes = method === 'HEAD' ? 0 : body.length;
  return {
    ...failed,
    status,
    response: {
      headers,
      body:
        sentBytes === 0
          ? undefined
          : { bytes: body, totalBytes: body.length, isTruncated: false, source: 'wire' },
    },
    delivery: delivery && {
      ...delivery,
      offeredBytes: body.length,
      sentBytes,
      chunks: 1,
      longestGapMs: undefined,
    },
  };
}
