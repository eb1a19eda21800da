import fc from 'fast-check';
import type { CapturedBody, Exchange } from '../../src/exchange';

/** Any text that JavaScript can hold, lone surrogates and NUL among it. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.string({ minLength: 41, maxLength: 300 }),
);
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const number = fc.double({ noNaN: true });
const plain = fc.dictionary(text, fc.jsonValue()).map((value) => JSON.parse(JSON.stringify(value)) as object);

const body: fc.Arbitrary<CapturedBody> = fc
  .record({
    bytes: optional(fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes))),
    totalBytes: optional(fc.nat()),
    isTruncated: fc.boolean(),
    source: fc.constantFrom('wire' as const, 'parsed' as const),
    omitted: optional(text),
    isRaw: optional(fc.constant(true as const)),
    coding: optional(text),
    sha256: optional(text),
  })
  .map(({ omitted, isRaw, coding, sha256, ...rest }) => ({
    ...rest,
    ...(omitted !== undefined && { omitted }),
    ...(isRaw !== undefined && { isRaw }),
    ...(coding !== undefined && { coding }),
    ...(sha256 !== undefined && { sha256 }),
  }));

const side = fc.record({ headers: fc.array(fc.tuple(text, text)), body: optional(body) });

/** Any exchange, whatever its parts mean. */
const usualExchange: fc.Arbitrary<Exchange> = fc.record({
  id: text,
  parentId: optional(text),
  storageType: fc.constantFrom('request' as const, 'response' as const, 'both' as const),
  method: optional(text),
  endpoint: optional(text),
  path: optional(text),
  query: optional(text),
  pathParameters: fc.dictionary(fc.string(), fc.string()).map((value) => ({ ...value })),
  status: optional(fc.nat()),
  outcome: fc.constantFrom('completed' as const, 'aborted' as const, 'failed' as const, 'timed_out' as const),
  error: optional(fc.record({ name: text, message: text })),
  startedAt: number,
  durationMs: number,
  owner: text,
  clientAddress: optional(text),
  traceId: optional(text),
  metadata: plain as fc.Arbitrary<Record<string, unknown>>,
  session: fc
    .record({
      key: text,
      group: optional(text),
      timeoutMs: number,
      requestedId: optional(text),
      proposedId: optional(text),
    })
    .map(({ requestedId, proposedId, ...rest }) => ({
      ...rest,
      ...(requestedId !== undefined && { requestedId }),
      ...(proposedId !== undefined && { proposedId }),
    })),
  expiresAt: optional(number),
  compress: fc.boolean(),
  request: side,
  response: side,
  delivery: optional(
    fc.record({
      closedBy: fc.constantFrom('end' as const, 'connection' as const, 'cap' as const),
      offeredBytes: number,
      sentBytes: optional(number),
      firstByteMs: optional(number),
      chunks: number,
      longestGapMs: optional(number),
    }),
  ),
  warnings: fc.array(
    fc.record({
      code: text,
      message: text,
      severity: fc.constantFrom('LOW' as const, 'MEDIUM' as const, 'HIGH' as const),
      details: plain as fc.Arbitrary<Record<string, unknown>>,
    }),
  ),
});

export const arbitraryExchange: fc.Arbitrary<Exchange> = fc
  .tuple(usualExchange, fc.boolean())
  .map(([exchange, isCorrection]) => (isCorrection ? { ...exchange, isCorrection } : exchange));

/** One exchange, always the same but for `fields`. */
export function exchangeWith(fields: Partial<Exchange>): Exchange {
  const [some] = fc.sample(usualExchange, { numRuns: 1, seed: 1 });
  if (some === undefined) throw new Error('There is no sample.');
  return { ...some, ...fields };
}
