import { isAscii, isUtf8 } from 'node:buffer';
import type { BodyKind } from '../body-kind';
import { redactForm } from './form-redaction';
import { redactJson } from './json-redaction';
import type { JsonOutcome } from './json-source';
import { redactEventStream, redactNdjson, type RedactedLines } from './line-redaction';
import type { OnHidden, RedactionContext } from './redaction-context';
import type { RedactedBody } from './redactor';
import { redactText, withoutUnfinishedEnd } from './text-redaction';

const OPEN_LIST = 91;
const OPEN_OBJECT = 123;
const BEGINS_AS_JSON = /^(?:\xef\xbb\xbf)?\s*[[{]/;

/** Redacts a decoded body by the structure that it claims; places are reported as `base`, or within it. */
export function redactBody(
  bytes: Buffer,
  kind: BodyKind,
  isComplete: boolean,
  base: string,
  context: RedactionContext,
  onHidden: OnHidden,
): RedactedBody {
  if (kind === 'binary' || kind === 'multipart') return { bytes, isCut: false };
  const redaction = { bytes, isComplete, base, context, onHidden };
  // Rules for places may hide on one side what they leave on the other.
  const known = kind === 'json' && isComplete && context.paths.isEmpty ? context.cleanBodies : undefined;
  if (known?.has(bytes) === true) return { bytes, isCut: false };
  if (isInOtherCharset(bytes) || hidesWithoutNul(redaction, kind)) return OTHER_CHARSET;
  const redacted = redactStructure(redaction, kind);
  if (redacted.bytes === bytes && !redacted.isCut) known?.add(bytes);
  return redacted;
}

type TextKind = Exclude<BodyKind, 'binary' | 'multipart'>;

function redactStructure(redaction: BodyRedaction, kind: TextKind): RedactedBody {
  const { bytes, isComplete, base, context, onHidden } = redaction;
  switch (kind) {
    case 'json':
      return redactJsonBody(redaction);
    case 'ndjson':
      return lines(redactNdjson(bytes, isComplete, base, context, onHidden), bytes);
    case 'sse':
      return lines(redactEventStream(bytes, isComplete, base, context, onHidden), bytes);
    case 'form':
    case 'text':
      return (
        redactMislabelledJson(redaction) ??
        (kind === 'form' ? redactFormBody(redaction) : redactTextBody(redaction))
      );
  }
}

interface BodyRedaction {
  readonly bytes: Buffer;
  readonly isComplete: boolean;
  readonly base: string;
  readonly context: RedactionContext;
  readonly onHidden: OnHidden;
}

const UNPARSABLE: RedactedBody = { bytes: undefined, isCut: false, reason: 'unparsable' };

const OTHER_CHARSET: RedactedBody = { bytes: undefined, isCut: false, reason: 'charset' };
const UTF_16_OR_32 = /(?:[ -~]\0{1,3}){4}|(?:\0{1,3}[ -~]){4}/;

/** UTF-16 or UTF-32, in which no name would be found: by its byte order mark, or by letters parted by NUL. */
function isInOtherCharset(bytes: Buffer): boolean {
  const hasMark = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return hasMark || (bytes.includes(0) && UTF_16_OR_32.test(bytes.toString('latin1')));
}

/** Whether NULs part a name or a secret, so that a reader who leaves them out would find it. */
function hidesWithoutNul(redaction: BodyRedaction, kind: TextKind): boolean {
  if (!redaction.bytes.includes(0)) return false;
  const bytes = Buffer.from(redaction.bytes.filter((byte) => byte !== 0));
  let isHidden = false;
  redactStructure({ ...redaction, bytes, onHidden: () => (isHidden = true) }, kind);
  return isHidden;
}

function redactJsonBody(redaction: BodyRedaction): RedactedBody {
  const { bytes, isComplete } = redaction;
  if (isBlank(bytes)) return { bytes, isCut: false };
  const whole = isComplete ? bytes : withoutHalfCharacter(bytes);
  const outcome = isUtf8(whole) ? redactAsJson(redaction, whole) : undefined;
  if (outcome === undefined || (isComplete && outcome.state !== 'complete')) return UNPARSABLE;
  return fromJson(outcome, bytes);
}

/** What claims to be text or a form but is JSON is redacted as that. */
function redactMislabelledJson(redaction: BodyRedaction): RedactedBody | undefined {
  const { bytes, isComplete } = redaction;
  if (!BEGINS_AS_JSON.test(bytes.toString('latin1', 0, 256))) return undefined;
  const whole = isComplete ? bytes : withoutHalfCharacter(bytes);
  const outcome = isUtf8(whole) ? redactAsJson(redaction, whole) : undefined;
  if (outcome === undefined || outcome.state === 'invalid') return undefined;
  return isComplete && outcome.state !== 'complete' ? undefined : fromJson(outcome, bytes);
}

function fromJson(outcome: JsonOutcome, original: Buffer): RedactedBody {
  const isCut = outcome.state !== 'complete';
  const isSame = !isCut && !outcome.isChanged && outcome.text.length === original.length;
  return { bytes: isSame ? original : Buffer.from(outcome.text, 'latin1'), isCut };
}

/** Reports only what is kept: of a complete text that is no JSON, nothing is. */
function redactAsJson(redaction: BodyRedaction, bytes: Buffer): JsonOutcome {
  const { isComplete, base, context, onHidden } = redaction;
  const reported: string[] = [];
  const outcome = redactJson({
    bytes,
    text: bytes.toString('latin1'),
    from: 0,
    to: bytes.length,
    isEnded: isComplete,
    level: 0,
    base,
    context,
    onHidden: (path) => reported.push(path),
    mayHoldUnmarked: undefined,
  });
  if (outcome.state === 'complete' || !isComplete) reported.forEach((path) => onHidden(path));
  return outcome;
}

function redactFormBody({ bytes, isComplete, base, context, onHidden }: BodyRedaction): RedactedBody {
  const { text, encoding } = decodeText(isComplete ? bytes : withoutHalfCharacter(bytes));
  // The last pair of a form that goes on may be half a name or half a secret.
  const kept = isComplete ? text : text.slice(0, Math.max(0, text.lastIndexOf('&')));
  const redacted = redactForm(kept, base, 0, context, onHidden);
  return { bytes: Buffer.from(redacted, encoding), isCut: !isComplete };
}

function redactTextBody({ bytes, isComplete, base, context, onHidden }: BodyRedaction): RedactedBody {
  const { text, encoding } = decodeText(isComplete ? bytes : withoutHalfCharacter(bytes));
  const kept = isComplete ? text : withoutUnfinishedEnd(text);
  const redacted = redactText(kept, base, context, onHidden);
  return { bytes: Buffer.from(redacted, encoding), isCut: !isComplete };
}

/** Bytes that are no UTF-8 are taken one by one, so that those which stay are the same afterwards. */
function decodeText(bytes: Buffer): { readonly text: string; readonly encoding: 'latin1' | 'utf8' } {
  const encoding = isAscii(bytes) || !isUtf8(bytes) ? 'latin1' : 'utf8';
  return { text: bytes.toString(encoding), encoding };
}

function lines(redacted: RedactedLines, original: Buffer): RedactedBody {
  const isSame = !redacted.isCut && redacted.text.length === original.length;
  const bytes = Buffer.from(redacted.text, 'latin1');
  return { bytes: isSame && bytes.equals(original) ? original : bytes, isCut: redacted.isCut };
}

/** Without the bytes at the end that begin a character of UTF-8 and do not finish it. */
function withoutHalfCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}

function isBlank(bytes: Buffer): boolean {
  // Which most begin with.
  if (bytes[0] === OPEN_OBJECT || bytes[0] === OPEN_LIST) return false;
  return bytes.toString('latin1').trim() === '';
}
