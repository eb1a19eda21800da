import type { BodyKind } from '../../src/body-kind';
import { createRedactor } from '../../src/redaction/create-redactor';
import type { RedactionRules, Redactor } from '../../src/redaction/redactor';

export interface Redacted {
  /** `undefined` when the body was dropped. */
  readonly text: string | undefined;
  readonly isCut: boolean;
  readonly reason: string | undefined;
  readonly places: readonly string[];
}

const redactor = createRedactor();

export function redactBody(
  body: string | Buffer,
  kind: BodyKind,
  options: { readonly isComplete?: boolean; readonly rules?: RedactionRules } = {},
): Redacted {
  const used: Redactor = options.rules === undefined ? redactor : createRedactor(options.rules);
  const places: string[] = [];
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const result = used.body('request', bytes, kind, options.isComplete ?? true, (path) => places.push(path));
  return { text: result.bytes?.toString(), isCut: result.isCut, reason: result.reason, places };
}

/** What `text` becomes as JSON, parsed again. */
export function redactValue(
  value: unknown,
  rules?: RedactionRules,
): { value: unknown; places: readonly string[] } {
  const redacted = redactBody(JSON.stringify(value), 'json', rules === undefined ? {} : { rules });
  return { value: JSON.parse(redacted.text ?? 'null'), places: redacted.places };
}
