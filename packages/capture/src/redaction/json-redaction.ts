import { hidesString } from './form-redaction';
import type { NameVerdict } from './name-rules';
import { REDACTED } from './redacted-mark';
import type { OnHidden, RedactionContext } from './redaction-context';
import {
  HAS_BEGINNING,
  HAS_EQUALS,
  HAS_HIDING_ESCAPE,
  MARKS,
  NEEDS_DECODING,
  scanString,
  UNFINISHED,
} from './json-string';
import { keySegment } from './redaction-paths';

/** JSON as bytes, and the same bytes as a string of one character each. */
export interface JsonSource {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** True when nothing can follow the last byte, so that a number there is whole. */
  readonly isEnded: boolean;
  /** How many strings this JSON is within. */
  readonly level: number;
  /** Path of the whole. */
  readonly base: string;
  readonly context: RedactionContext;
  readonly onHidden: OnHidden;
  /** Whether a string without marks may hold a secret by shape, when that is known already. */
  readonly mayHoldUnmarked: boolean | undefined;
}

export interface JsonOutcome {
  /** `unfinished`: right so far, but its end is missing. `invalid`: no JSON from some point on. */
  readonly state: 'complete' | 'unfinished' | 'invalid';
  /** The redacted text up to the last complete token, one character for each byte. */
  readonly text: string;
  readonly isChanged: boolean;
}

/** Redacts JSON text in one pass and without recursion; what is not hidden keeps every byte. */
export function redactJson(source: JsonSource): JsonOutcome {
  return new JsonRedaction(source).run();
}

const MARK = `"${REDACTED}"`;
/** A path longer than this is not built any further: none of its rules or reports needs more. */
const MAX_PATH_BUILT = 1024;

/** With its quotes; nothing shorter can hold a name and a value, or a secret by shape. */
const MIN_SECRET_LENGTH = 6;
const LEADING_PLAIN = /^[ !#-[\]-~]*/;
const PLAIN_STRING = /^[ !#-[\]-~]*$/;

const QUOTE = 34;
const BACKSLASH = 92;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const NUMBER_END = /[\s,\]}]/;
const LITERALS = new Map([
  [0x74, 'true'],
  [0x66, 'false'],
  [0x6e, 'null'],
]);

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | 'next';
type Step = 'ok' | 'unfinished' | 'invalid';

class JsonRedaction {
  private at: number;
  private expected: Expected = 'value';
  private marks = 0;
  /** Open containers, from the outside in: the index in an array, -1 in an object. */
  private readonly indexes: number[] = [];
  /** Where the present key of each open object stands, with its quotes. */
  private readonly keyStarts: number[] = [];
  private readonly keyEnds: number[] = [];
  private readonly parts: string[] = [];
  private copied: number;
  /** After the last complete token that may be kept. */
  private kept: number;
  /** What the present value's name says. */
  private verdict: NameVerdict = 'visible';
  private isForced = false;
  /** How many containers were open where the hidden one began; -1 outside of hidden ones. */
  private hiddenDepth = -1;
  private hiddenStart = 0;
  private hiddenHoldsSecret = false;
  private readonly mayHoldUnmarked: boolean;

  constructor(private readonly source: JsonSource) {
    const { bytes, from, to, context } = source;
    this.at = from;
    if (bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf) this.at += 3;
    this.copied = from;
    this.kept = Math.min(this.at, to);
    this.mayHoldUnmarked =
      source.mayHoldUnmarked ?? context.shapes.mayHoldUnmarked(source.text.slice(from, to));
  }

  run(): JsonOutcome {
    this.judgePlace();
    const step = this.walk();
    const isComplete = step === 'ok' && this.expected === 'next' && this.indexes.length === 0;
    const state = isComplete ? 'complete' : step === 'ok' ? 'unfinished' : step;
    const isChanged = this.parts.length > 0;
    const end = isComplete ? this.source.to : this.kept;
    this.parts.push(this.source.text.slice(this.copied, end));
    return { state, text: isChanged ? this.parts.join('') : this.parts[0]!, isChanged };
  }

  private walk(): Step {
    const { bytes, to } = this.source;
    for (;;) {
      let code = bytes[this.at]!;
      while (this.at < to && (code === 32 || code === 10 || code === 13 || code === 9)) {
        this.at += 1;
        code = bytes[this.at]!;
      }
      if (this.at >= to) return 'ok';
      const step = this.token(code);
      if (step !== 'ok') return step;
      // What nearly always follows, without another round.
      if (this.expected === ':' && this.at < to && bytes[this.at] === 0x3a) this.colon();
      if (this.hiddenDepth === -1 && this.verdict === 'visible') this.kept = this.at;
    }
  }

  private colon(): void {
    this.at += 1;
    this.expected = 'value';
  }

  private token(code: number): Step {
    switch (this.expected) {
      case 'key or }':
        if (code === 0x7d) return this.close();
        return code === QUOTE ? this.key() : 'invalid';
      case 'key':
        return code === QUOTE ? this.key() : 'invalid';
      case ':':
        if (code !== 0x3a) return 'invalid';
        this.colon();
        return 'ok';
      case 'next':
        return this.next(code);
      case 'value or ]':
        if (code === 0x5d) return this.close();
        this.judgePlace();
        return this.value(code);
      case 'value':
        return this.value(code);
    }
  }

  private next(code: number): Step {
    const depth = this.indexes.length;
    if (depth === 0) return 'invalid';
    const index = this.indexes[depth - 1]!;
    if (code === 0x2c) {
      this.at += 1;
      if (index === -1) {
        this.expected = 'key';
      } else {
        this.indexes[depth - 1] = index + 1;
        this.expected = 'value';
        this.judgePlace();
      }
      return 'ok';
    }
    return code === (index === -1 ? 0x7d : 0x5d) ? this.close() : 'invalid';
  }

  private value(code: number): Step {
    if (code === QUOTE) return this.stringValue();
    if (code === 0x7b || code === 0x5b) return this.open(code === 0x7b);
    const literal = LITERALS.get(code);
    return literal === undefined ? this.number() : this.literal(literal);
  }

  private open(isObject: boolean): Step {
    if (this.hiddenDepth === -1 && this.verdict !== 'visible') {
      if (this.verdict === 'unless-object' && isObject) {
        this.verdict = 'visible';
      } else {
        this.hiddenDepth = this.indexes.length;
        this.hiddenStart = this.at;
        this.hiddenHoldsSecret = this.verdict !== 'unless-count';
        this.endOfNamed();
      }
    }
    this.indexes.push(isObject ? -1 : 0);
    this.keyStarts.push(0);
    this.keyEnds.push(0);
    this.at += 1;
    this.expected = isObject ? 'key or }' : 'value or ]';
    return 'ok';
  }

  private close(): Step {
    this.indexes.pop();
    this.keyStarts.pop();
    this.keyEnds.pop();
    this.at += 1;
    this.expected = 'next';
    if (this.indexes.length === this.hiddenDepth) {
      this.hiddenDepth = -1;
      // An empty container has nothing to hide.
      const isEmpty = this.source.text.slice(this.hiddenStart + 1, this.at - 1).trim() === '';
      if (this.hiddenHoldsSecret && !isEmpty) this.hide(this.hiddenStart, MARK);
    }
    return 'ok';
  }

  private key(): Step {
    const start = this.at;
    const step = this.string();
    if (step !== 'ok') return step;
    this.expected = ':';
    const top = this.indexes.length - 1;
    this.keyStarts[top] = start;
    this.keyEnds[top] = this.at;
    const { context } = this.source;
    const name = this.decode(start, this.at, (this.marks & NEEDS_DECODING) !== 0);
    const verdict = context.names.field(name);
    if (this.hiddenDepth !== -1) {
      if (verdict !== 'visible' && verdict !== 'unless-count') this.hiddenHoldsSecret = true;
      return 'ok';
    }
    this.verdict = verdict;
    if (!context.paths.isEmpty) this.judgePlace();
    if (this.mayHoldUnmarked || (this.marks & (HAS_BEGINNING | HAS_HIDING_ESCAPE)) !== 0) {
      const shown = context.shapes.hide(name);
      if (shown !== name) this.replace(start, jsonLatin1(shown));
    }
    return 'ok';
  }

  private stringValue(): Step {
    const start = this.at;
    const step = this.string();
    if (step !== 'ok') return step;
    this.expected = 'next';
    if (this.hiddenDepth !== -1) {
      this.hiddenHoldsSecret = true;
      return 'ok';
    }
    if (this.verdict !== 'visible') {
      const isHidden = this.isForced
        ? this.at - start > 2
        : hidesString(this.verdict, this.source.text.slice(start + 1, this.at - 1));
      this.endOfNamed();
      if (isHidden) {
        this.hide(start, MARK);
        return 'ok';
      }
    }
    if (this.at - start >= MIN_SECRET_LENGTH) this.lookInto(start);
    return 'ok';
  }

  private lookInto(start: number): void {
    const { level, context, onHidden } = this.source;
    const isPlain = (this.marks & (HAS_EQUALS | HAS_HIDING_ESCAPE)) === 0 && !this.mayBeginJson(start);
    if (isPlain && !this.mayHoldUnmarked && (this.marks & HAS_BEGINNING) === 0) return;
    const value = this.decode(start, this.at, (this.marks & NEEDS_DECODING) !== 0);
    if (isPlain && context.shapes.hide(value) === value) return;
    const shown = context.redactString(value, this.path(), level, context, onHidden);
    if (shown !== value) this.replace(start, jsonLatin1(shown));
  }

  private mayBeginJson(start: number): boolean {
    const { bytes } = this.source;
    let at = start + 1;
    while (bytes[at] === 32) at += 1;
    // `\n` and the like may stand before JSON text.
    return bytes[at] === 0x7b || bytes[at] === 0x5b || bytes[at] === BACKSLASH;
  }

  /** Moves past a string, and says in `marks` what is in it. */
  private string(): Step {
    const scanned = scanString(this.source.bytes, this.at, this.source.to);
    if (scanned < 0) return scanned === UNFINISHED ? 'unfinished' : 'invalid';
    this.at = Math.floor(scanned / MARKS);
    this.marks = scanned % MARKS;
    return 'ok';
  }

  private number(): Step {
    const { text, to, isEnded, context } = this.source;
    const start = this.at;
    NUMBER.lastIndex = start;
    const isNumber = NUMBER.test(text);
    const end = isNumber ? NUMBER.lastIndex : start;
    if (end >= to ? !isEnded : !isNumber || !NUMBER_END.test(text[end]!)) {
      return /^-?\d*\.?\d*(?:[eE][-+]?\d*)?$/.test(text.slice(start, to)) ? 'unfinished' : 'invalid';
    }
    if (!isNumber || end > to) return 'invalid';
    this.at = end;
    this.expected = 'next';
    if (this.hiddenDepth !== -1) return 'ok';
    if (this.verdict !== 'visible') {
      const isHidden = this.isForced || this.verdict !== 'unless-count';
      this.endOfNamed();
      if (isHidden) {
        this.hide(start, MARK);
        return 'ok';
      }
    }
    const digits = this.mayHoldUnmarked ? text.slice(start, end) : '';
    if (context.shapes.hide(digits) !== digits) this.hide(start, MARK);
    return 'ok';
  }

  private literal(literal: string): Step {
    const { text, to } = this.source;
    const start = this.at;
    if (!text.startsWith(literal, start) || start + literal.length > to) {
      return literal.startsWith(text.slice(start, to)) ? 'unfinished' : 'invalid';
    }
    this.at += literal.length;
    this.expected = 'next';
    const isHidden = this.isForced && literal !== 'null' && this.hiddenDepth === -1;
    this.endOfNamed();
    if (isHidden) this.hide(start, MARK);
    return 'ok';
  }

  /** Asks the path rules about the place whose value comes next. */
  private judgePlace(): void {
    if (this.source.context.paths.isEmpty || this.hiddenDepth !== -1) return;
    if (!this.source.context.paths.hides(this.path())) return;
    this.verdict = 'secret';
    this.isForced = true;
  }

  private endOfNamed(): void {
    this.verdict = 'visible';
    this.isForced = false;
  }

  private hide(start: number, mark: string): void {
    this.endOfNamed();
    this.replace(start, mark);
    this.source.onHidden(this.path());
  }

  private replace(start: number, text: string): void {
    this.parts.push(this.source.text.slice(this.copied, start), text);
    this.copied = this.at;
  }

  private path(): string {
    let path = this.source.base;
    for (let depth = 0; depth < this.indexes.length && path.length < MAX_PATH_BUILT; depth += 1) {
      const index = this.indexes[depth]!;
      path += index === -1 ? this.keyPart(depth) : `[${index}]`;
    }
    return path;
  }

  private keyPart(depth: number): string {
    const start = this.keyStarts[depth]!;
    const end = this.keyEnds[depth]!;
    if (end === 0) return '';
    if (end - start <= MAX_PATH_BUILT) return keySegment(this.decode(start, end, true));
    // Every place within it is reported with this key, so a long one is not decoded each time.
    const beginning = this.source.text.slice(start + 1, start + MAX_PATH_BUILT);
    return keySegment(`${LEADING_PLAIN.exec(beginning)?.[0] ?? ''}…`);
  }

  /** The string between two quotes. */
  private decode(start: number, end: number, needsDecoding: boolean): string {
    const bare = this.source.text.slice(start + 1, end - 1);
    if (!needsDecoding || PLAIN_STRING.test(bare)) return bare;
    return JSON.parse(Buffer.from(`"${bare}"`, 'latin1').toString('utf8')) as string;
  }
}

function jsonLatin1(value: string): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('latin1');
}
