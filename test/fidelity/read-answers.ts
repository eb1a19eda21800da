/** One final answer as it stands on the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Without the framing of chunks. */
  readonly body: Buffer;
  readonly isComplete: boolean;
  /** What follows it belongs to no answer: Node, from 22 on, sends chunks that were corked behind the last one. */
  readonly hasStrays?: boolean;
}

/** Reads what a server sent on one HTTP/1 connection; answers in between (1xx) are left out. */
export function readAnswers(received: Buffer, methods: readonly string[], isClosed = true): WireAnswer[] {
  const answers: WireAnswer[] = [];
  let rest = received;
  while (rest.length > 0) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd === -1) return answers;
    const lines = rest.subarray(0, headEnd).toString('latin1').split('\r\n');
    const status = Number(lines[0]?.split(' ')[1]);
    rest = rest.subarray(headEnd + 4);
    if (status >= 100 && status < 200 && status !== 101) continue;
    const headers = lines.slice(1).map((line): readonly [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const field = (name: string): string | undefined =>
      headers.find(([each]) => each.toLowerCase() === name)?.[1];
    const method = methods[answers.length] ?? 'GET';
    const isBodiless = method === 'HEAD' || status === 101 || status === 204 || status === 304;
    if (isBodiless) {
      answers.push({ status, headers, body: Buffer.alloc(0), isComplete: true });
    } else if (/chunked/i.test(field('transfer-encoding') ?? '')) {
      const { body, after } = readChunks(rest);
      rest = after ?? Buffer.alloc(0);
      const hasStrays = rest.length > 0 && !rest.subarray(0, 5).equals(Buffer.from('HTTP/'));
      answers.push({ status, headers, body, isComplete: after !== undefined, hasStrays });
    } else {
      const declared = field('content-length');
      const length = declared === undefined ? rest.length : Number(declared);
      const body = rest.subarray(0, length);
      const isComplete = declared === undefined ? isClosed : body.length === length;
      answers.push({ status, headers, body, isComplete });
      rest = rest.subarray(length);
    }
  }
  return answers;
}

/** @returns what follows the last chunk and its trailers as `after`; undefined when that did not come. */
function readChunks(bytes: Buffer): { body: Buffer; after: Buffer | undefined } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return { body: Buffer.concat(parts), after: undefined };
    const size = parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (Number.isNaN(size)) return { body: Buffer.concat(parts), after: undefined };
    const start = lineEnd + 2;
    if (size === 0) {
      const end = bytes.indexOf('\r\n\r\n', lineEnd);
      return { body: Buffer.concat(parts), after: end === -1 ? undefined : bytes.subarray(end + 4) };
    }
    parts.push(bytes.subarray(start, start + size));
    if (start + size + 2 > bytes.length) return { body: Buffer.concat(parts), after: undefined };
    at = start + size + 2;
  }
}
