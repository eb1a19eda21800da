import { isCleanEventStream } from './clean-events';
import { redactJson } from './json-redaction';
import type { JsonOutcome } from './json-source';
import type { OnHidden, RedactionContext } from './redaction-context';
import { redactText, withoutUnfinishedEnd } from './text-redaction';

/** Redacted text, one character for each byte. */
export interface RedactedLines {
  readonly text: string;
  readonly isCut: boolean;
}

const RECORD_SEPARATOR = '\x1e';

/** Redacts JSON texts, one on each line. A line that is no JSON is kept to its last complete token. */
export function redactNdjson(
  bytes: Buffer,
  isComplete: boolean,
  base: string,
  context: RedactionContext,
  onHidden: OnHidden,
): RedactedLines {
  const text = bytes.toString('latin1');
  const mayHoldUnmarked = context.shapes.mayHoldUnmarked(text);
  let result = '';
  let isCut = false;
  for (let from = 0, number = 0; from < text.length; number += 1) {
    const newline = text.indexOf('\n', from);
    const to = newline === -1 ? text.length : newline;
    const start = text[from] === RECORD_SEPARATOR ? from + 1 : from;
    const outcome = redactJson({
      bytes,
      text,
      from: start,
      to,
      isEnded: newline !== -1 || isComplete,
      level: 0,
      base: `${base}[${number}]`,
      context,
      onHidden,
      mayHoldUnmarked,
    });
    const isBlank = outcome.state === 'unfinished' && text.slice(start, to).trim() === '';
    if (outcome.state !== 'complete' && !isBlank) isCut = true;
    result += text.slice(from, start) + (isBlank ? text.slice(start, to) : outcome.text);
    if (newline !== -1) result += '\n';
    from = to + 1;
  }
  return { text: result, isCut };
}

/**
 * Redacts an event stream. The `data` lines of an event are one text; when it is JSON, even of which the
 * end is missing, it is redacted as such, else as text, like all other lines.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function redactEventStream(
  bytes: Buffer,
  isComplete: boolean,
  base: string,
  context: RedactionContext,
  onHidden: OnHidden,
): RedactedLines {
  const text = bytes.toString('latin1');
  const mayHoldUnmarked = context.shapes.mayHoldUnmarked(text);
  if (isComplete && !mayHoldUnmarked && context.paths.isEmpty && isCleanEventStream(bytes, text, context)) {
    return { text, isCut: false };
  }
  const lines = text.split(/(\r\n|\n|\r)/);
  const result: string[] = [];
  let isCut = false;
  let number = 0;
  for (let at = 0; at < lines.length;) {
    let end = at;
    while (end < lines.length && DATA.test(lines[end]!)) end += 2;
    const isLast = end >= lines.length;
    if (end === at) {
      const isUnfinished = at === lines.length - 1 && !isComplete && lines[at] !== '';
      const line = isUnfinished ? withoutUnfinishedEnd(lines[at]!) : lines[at]!;
      if (isUnfinished) isCut = true;
      result.push(redactText(line, `${base}[${number}]`, context, onHidden), lines[at + 1] ?? '');
      at += 2;
      continue;
    }
    const event = redactData(lines.slice(at, end), {
      isEnded: !isLast || isComplete,
      path: `${base}[${number}]`,
      context,
      onHidden,
      mayHoldUnmarked,
    });
    result.push(event.text);
    if (event.isCut) isCut = true;
    number += 1;
    at = end;
  }
  return { text: result.join(''), isCut };
}

const DATA = /^(?:\ufeff|\xef\xbb\xbf)?data(?::|$)/;
const DATA_FIELD = /^(?:\xef\xbb\xbf)?data(?:: ?|$)/;

interface DataOptions {
  readonly isEnded: boolean;
  readonly path: string;
  readonly context: RedactionContext;
  readonly onHidden: OnHidden;
  readonly mayHoldUnmarked: boolean;
}

/** @param lines the event's lines, each followed by its line end, but maybe the last */
function redactData(lines: readonly string[], options: DataOptions): RedactedLines {
  const fields: string[] = [];
  const values: string[] = [];
  for (let at = 0; at < lines.length; at += 2) {
    const field = DATA_FIELD.exec(lines[at]!)?.[0] ?? '';
    fields.push(field);
    values.push(lines[at]!.slice(field.length));
  }
  const payload = values.join('\n');
  const redacted = redactPayload(payload, options);
  if (redacted.text === payload) return { text: lines.join(''), isCut: redacted.isCut };
  const lineEnd = lines[1] ?? '\n';
  const lastEnd = lines.length % 2 === 0 ? lines[lines.length - 1]! : '';
  const text = redacted.text.split('\n').map((value, at) => (fields[at] ?? fields[0]!) + value);
  return { text: text.join(lineEnd) + lastEnd, isCut: redacted.isCut };
}

function redactPayload(payload: string, options: DataOptions): RedactedLines {
  if (/^\s*[[{"]/.test(payload)) {
    const reported: string[] = [];
    const outcome = redactDataJson(payload, options, (path) => reported.push(path));
    if (outcome.state !== 'invalid') {
      for (const path of reported) options.onHidden(path);
      return { text: outcome.text, isCut: outcome.state === 'unfinished' };
    }
  }
  const text = options.isEnded ? payload : withoutUnfinishedEnd(payload);
  return {
    text: redactText(text, options.path, options.context, options.onHidden),
    isCut: !options.isEnded,
  };
}

function redactDataJson(payload: string, options: DataOptions, onHidden: OnHidden): JsonOutcome {
  const bytes = Buffer.from(payload, 'latin1');
  return redactJson({
    bytes,
    text: payload,
    from: 0,
    to: bytes.length,
    isEnded: options.isEnded,
    level: 0,
    base: options.path,
    context: options.context,
    onHidden,
    mayHoldUnmarked: options.mayHoldUnmarked,
  });
}
