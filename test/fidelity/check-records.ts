import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { EntryRecord } from '../../packages/capture/src/entries/entry-record';
import { describeValue } from './describe-value';
import type { ExpectedRecord, FidelityCase } from './fidelity-case';
import { readAnswers, type WireAnswer } from './read-answers';
import type { Observation, SeenRequest } from './run-case';

/** What is wrong with the entries of a run, measured by what the client got; empty when they are true. */
export function untruths(
  fidelityCase: FidelityCase,
  seen: Observation,
  entries: readonly EntryRecord[],
): string[] {
  if (fidelityCase.unrecorded !== undefined)
    return entries.length === 0 ? [] : [`${String(entries.length)} entries instead of none`];
  if (entries.length !== seen.requests.length)
    return [`${String(entries.length)} entries for ${String(seen.requests.length)} requests`];
  const answers = answersOf(seen);
  return seen.requests.flatMap((request, index) => {
    const entry = entries[index];
    if (entry === undefined) return ['no entry'];
    const expected = fidelityCase.records?.[index] ?? {};
    const byWire =
      fidelityCase.breaksTheWire === true ? [] : againstWire(entry, request, answers[index], expected);
    return [...byWire, ...againstCase(entry, expected)].map((line) => `entry ${String(index + 1)}: ${line}`);
  });
}

/** The answer to each request in the order in which they reached the app. */
function answersOf(seen: Observation): (WireAnswer | undefined)[] {
  if (seen.http2 !== undefined) {
    const { status, ...rest } = seen.http2;
    return [status === undefined ? undefined : { status, ...rest }];
  }
  const read = seen.bytes.map((bytes, connection) => {
    const own = seen.requests.filter((request) => request.connection === connection);
    return readAnswers(
      bytes,
      own.map((request) => request.method),
    );
  });
  const taken = new Map<number, number>();
  return seen.requests.map(({ connection }) => {
    const index = taken.get(connection) ?? 0;
    taken.set(connection, index + 1);
    return read[connection]?.[index];
  });
}

function againstWire(
  entry: EntryRecord,
  { request, response, probe, method }: SeenRequest,
  answer: WireAnswer | undefined,
  expected: ExpectedRecord,
): string[] {
  const wrong: string[] = [];
  const check = (what: string, actual: unknown, wanted: unknown): void => {
    const [left, right] = [describeValue(actual), describeValue(wanted)];
    if (left !== right) wrong.push(`${what} is ${left}, should be ${right}`);
  };
  check('method', entry.method, method);
  check('request headers', entry.requestHeaders, pairs(request.rawHeaders));
  const isWhole = probe.didFinish && response.headersSent && answer?.isComplete === true;
  if (answer === undefined || !isWhole) {
    // What a client makes of an answer that Node handed over whole is nobody's knowledge here.
    const mayBeComplete = probe.didFinish || answer?.isComplete === true;
    if (expected.outcome === undefined && entry.outcome === 'completed' && !mayBeComplete)
      wrong.push('outcome is completed although the answer was not');
    // Without a head of the app's, what the client got is an answer of Node's own.
    if (answer === undefined || !response.headersSent) return wrong;
    const stored = entry.responseBody ?? Buffer.alloc(0);
    if (mayBeComplete) return wrong;
    if (entry.responseState === 'captured' && answer.body.length > 0)
      wrong.push('the body of an answer that broke off is called whole');
    if (entry.responseState === 'truncated' && !stored.subarray(0, answer.body.length).equals(answer.body))
      wrong.push('the body does not begin with what the client got');
    return wrong;
  }
  check('status', entry.status, answer.status);
  const failed = entry.outcome === 'failed' && answer.status >= 500;
  if (expected.outcome === undefined && !failed) check('outcome', entry.outcome, 'completed');
  if (request.httpVersionMajor < 2) {
    check('response headers', entry.responseHeaders.map(asSent), answer.headers.map(asSent));
  } else {
    check('response headers', joined(entry.responseHeaders), joined(answer.headers));
  }
  if (expected.responseState === undefined && answer.hasStrays !== true)
    wrong.push(...againstBody(entry, answer));
  return wrong;
}

type Field = readonly [name: string, value: string];

/** Node sends the head as UTF-8 when it sends it together with a text, else as Latin-1. */
function asSent([name, value]: Field): Field {
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return [name, text.includes('\ufffd') ? value : text];
}

/** HTTP/2 clients of Node join equal fields, and leave out the length of what has no body. */
function joined(fields: readonly Field[]): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, given] of fields) {
    // Of a character beyond Latin-1, HTTP/2 sends the lower byte.
    const value = Buffer.from(given, 'latin1').toString('latin1');
    // Clients drop fields with control characters, which Node lets pass here.
    if (name !== 'content-length' && !/[\r\n]/.test(value))
      all[name] = all[name] === undefined ? value : `${all[name]}, ${value}`;
  }
  return all;
}

function againstBody(entry: EntryRecord, { body, headers }: WireAnswer): string[] {
  const { responseState: state, responseDetails: details } = entry;
  if (body.length === 0) return state === 'empty' ? [] : [`body is ${state}, but there was none`];
  const wrong: string[] = [];
  if (entry.responseOriginalBytes !== body.length)
    wrong.push(`size is ${String(entry.responseOriginalBytes)}, should be ${String(body.length)}`);
  if (state === 'captured') {
    const decoded = decode(body, headers.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1]);
    if (entry.responseBody?.equals(decoded) !== true)
      wrong.push(`body is ${describeValue(entry.responseBody)}, should be ${describeValue(decoded)}`);
  } else if (state === 'truncated') {
    const stored = entry.responseBody ?? Buffer.alloc(0);
    if (
      stored.length === 0 ||
      stored.length >= body.length ||
      !body.subarray(0, stored.length).equals(stored)
    )
      wrong.push('the kept part is not the beginning of the body');
  } else if (details.sha256 !== createHash('sha256').update(body).digest('hex')) {
    wrong.push(`body is ${state} (${String(details.reason)}), without its digest`);
  }
  return wrong;
}

function decode(body: Buffer, coding: string | undefined): Buffer {
  if (coding === 'gzip') return gunzipSync(body);
  if (coding === 'deflate') return inflateSync(body);
  return coding === 'br' ? brotliDecompressSync(body) : body;
}

function againstCase(entry: EntryRecord, expected: ExpectedRecord): string[] {
  const { requestBody, ...rest } = expected;
  const wrong = Object.entries(rest)
    .filter(([key, wanted]) => entry[key as keyof EntryRecord] !== wanted)
    .map(
      ([key, wanted]) =>
        `${key} is ${describeValue(entry[key as keyof EntryRecord])}, should be ${String(wanted)}`,
    );
  if (requestBody !== undefined && entry.requestBody?.equals(Buffer.from(requestBody)) !== true)
    wrong.push(
      `request body is ${describeValue(entry.requestBody)}, should be ${describeValue(Buffer.from(requestBody))}`,
    );
  return wrong;
}

function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) list.push([raw[index] ?? '', raw[index + 1] ?? '']);
  // Method, path and scheme of HTTP/2 are no header fields.
  return list.filter(([name]) => !name.startsWith(':') || name === ':authority');
}
