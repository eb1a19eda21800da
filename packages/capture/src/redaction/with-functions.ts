import { isUtf8 } from 'node:buffer';
import { REDACTED } from './redacted-mark';
import type { RedactionFunctions } from './redaction-module';
import type { RedactedBody, Redactor, ReportRedaction } from './redactor';

/** Something is to be left out. */
const LEFT_OUT = Symbol('left out');
type Given = string | typeof LEFT_OUT;

/**
 * A redactor that hands what it has left to functions of the program's own.
 *
 * @param onFailure told of each call that threw, or gave what it must not
 */
export function withFunctions(
  redactor: Redactor,
  functions: RedactionFunctions,
  onFailure: (error: unknown) => void,
): Redactor {
  /** What a failed function was given is hidden as a whole. */
  const ask = (name: string, call: () => unknown, mayBeLeftOut: boolean): Given | undefined => {
    try {
      const given = call();
      if (typeof given === 'string') return given;
      if (given === undefined && mayBeLeftOut) return LEFT_OUT;
      throw new TypeError(
        `The redaction module’s function "${name}" gave ${kindOf(given)} where a text is due.`,
      );
    } catch (error) {
      onFailure(error);
      return undefined;
    }
  };
  const askText = (
    name: 'query' | 'path' | 'text',
    text: string,
    where: string,
    report: ReportRedaction,
  ): string => {
    const own = functions[name];
    if (own === undefined) return text;
    const given = ask(name, () => own(text), false);
    const shown = typeof given === 'string' ? given : REDACTED;
    if (shown !== text) report(where);
    return shown;
  };
  return {
    headers: (side, headers, report) => {
      const left = redactor.headers(side, headers, report);
      const own = functions.header;
      if (own === undefined) return left;
      return left.flatMap(([name, value]) => {
        const given = ask('header', () => own(value, { side, name }), true);
        if (given !== value) report(`${side}.headers.${name.toLowerCase()}`);
        return given === LEFT_OUT ? [] : [[name, given ?? REDACTED] as const];
      });
    },
    query: (query, report) => askText('query', redactor.query(query, report), 'request.query', report),
    path: (path, parameters, report) =>
      askText('path', redactor.path(path, parameters, report), 'request.path', report),
    body: (side, bytes, kind, isComplete, report) => {
      const left = redactor.body(side, bytes, kind, isComplete, report);
      const own = functions.body;
      if (own === undefined || left.bytes === undefined || left.bytes.length === 0) return left;
      if (kind === 'binary' || kind === 'multipart') return left;
      const place = { side, kind, isComplete: isComplete && !left.isCut };
      return redactBodyOf(left.bytes, left.isCut, `${side}.body`, report, (text) =>
        ask('body', () => own(text, place), true),
      );
    },
    text: (text, where, report) => askText('text', redactor.text(text, where, report), where, report),
    metadata: (metadata, report) => {
      const left = redactor.metadata(metadata, report);
      const own = functions.metadata;
      if (own === undefined) return left;
      try {
        const given: unknown = own(left);
        if (isPlainObject(given)) return given;
        throw new TypeError(
          `The redaction module’s function "metadata" gave ${kindOf(given)} where an object is due.`,
        );
      } catch (error) {
        onFailure(error);
        report('metadata');
        return {};
      }
    },
  };
}

function redactBodyOf(
  bytes: Buffer,
  isCut: boolean,
  where: string,
  report: ReportRedaction,
  askFor: (text: string) => Given | undefined,
): RedactedBody {
  // Bytes that are no UTF-8 are taken one by one, so that those which stay are the same afterwards.
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  const text = bytes.toString(encoding);
  const given = askFor(text);
  if (given === text) return { bytes, isCut };
  report(where);
  if (typeof given === 'string') return { bytes: Buffer.from(given, encoding), isCut };
  return { bytes: undefined, isCut, reason: given === LEFT_OUT ? 'redaction' : 'redaction_failed' };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isPromise(value);
}

function kindOf(value: unknown): string {
  if (isPromise(value)) return 'a promise';
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}

function isPromise(value: unknown): boolean {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
