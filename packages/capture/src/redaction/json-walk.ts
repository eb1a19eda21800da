import { hidesString } from './form-redaction';
import type { NameVerdict } from './name-rules';
import { REDACTED } from './redacted-mark';
import { afterBom, type JsonOutcome, type JsonSource } from './json-source';
import {
  decodeJsonString,
  encodeJsonString,
  HAS_BEGINNING,
  HAS_COLON,
  HAS_EQUALS,
  HAS_HIDING_ESCAPE,
  MARKS,
  MIN_SECRET_LENGTH,
  NEEDS_DECODING,
  scanString,
  UNFINISHED,
} from './json-string';
import { pairRole, type Pair, type PairRole } from './pair-keys';
import { keySegment } from './redaction-paths';
import { TextEdits } from './text-edits';

const MARK = `"${REDACTED}"`;
/** A path longer than this is not built any further: none of its rules or reports needs more. */
const MAX_PATH_BUILT = 1024;

const LEADING_PLAIN = /^[ !#-[\]-~]*/;

const QUOTE = 34;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const NUMBER_END = /[\s,\]}]/;
const LITERALS = new Map([
  [0x74, 'true'],
  [0x66, 'false'],
  [0x6e, 'null'],
]);

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | 'next';
type Step = 'ok' | 'unfinished' | 'invalid';

/** One walk over one text; {@link redactJson} says what it does. */
export class JsonWalk {
  private at: number;
  private expected: Expected = 'value';
  private marks = 0;
  /** Open containers, from the outside in: the index in an array, -1 in an object. */
  private readonly indexes: number[] = [];
  /** Where the present key of each open object stands, with its quotes. */
  private readonly keyStarts: number[] = [];
  private readonly keyEnds: number[] = [];
  private readonly pairs: (Pair | undefined)[] = [];
  /** What the present key says of a pair. */
  private role: PairRole | undefined;
  private readonly edits = new TextEdits();
  /** After the last complete token that may be kept. */
  private kept: number;
  /** What the present value's name says. */
  private verdict: NameVerdict = 'visible';
  private isForced = false;
  /** How many containers were open where the hidden one began; -1 outside of hidden ones. */
  private hiddenDepth = -1;
  private hiddenStart = 0;
  private hiddenHoldsSecret = false;

  constructor(
    private readonly source: JsonSource,
    private readonly mayHoldUnmarked: boolean,
  ) {
    const { bytes, from, to } = source;
    this.at = afterBom(bytes, from);
    this.kept = Math.min(this.at, to);
  }

  run(): JsonOutcome {
    this.judgePlace();
    const step = this.walk();
    const isComplete = step === 'ok' && this.expected === 'next' && this.indexes.length === 0;
    const state = isComplete ? 'complete' : step === 'ok' ? 'unfinished' : step;
    if (state !== 'complete') this.hideUnnamed();
    const { text, from, to } = this.source;
    return {
      state,
      text: this.edits.apply(text, from, isComplete ? to : this.kept),
      isChanged: !this.edits.isEmpty,
    };
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
    this.pairs.push(undefined);
    this.role = undefined;
    this.at += 1;
    this.expected = isObject ? 'key or }' : 'value or ]';
    return 'ok';
  }

  private close(): Step {
    this.indexes.pop();
    this.keyStarts.pop();
    this.keyEnds.pop();
    this.pairs.pop();
    this.role = undefined;
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
    const name = decodeJsonString(this.source.text, start, this.at, (this.marks & NEEDS_DECODING) !== 0);
    const verdict = context.names.field(name);
    if (this.hiddenDepth !== -1) {
      if (verdict !== 'visible' && verdict !== 'unless-count') this.hiddenHoldsSecret = true;
      return 'ok';
    }
    this.role = pairRole(name);
    this.verdict = this.role === 'value' ? this.pairVerdict(top) : verdict;
    if (!context.paths.isEmpty) this.judgePlace();
    if (this.mayHoldUnmarked || (this.marks & (HAS_BEGINNING | HAS_HIDING_ESCAPE)) !== 0) {
      const shown = context.shapes.hide(name);
      if (shown !== name) this.replace(start, encodeJsonString(shown));
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
    if (this.role !== undefined) this.pairUp(start);
    if (this.at - start >= MIN_SECRET_LENGTH) this.lookInto(start);
    return 'ok';
  }

  private lookInto(start: number): void {
    const { level, context, onHidden } = this.source;
    const isPlain =
      (this.marks & (HAS_EQUALS | HAS_COLON | HAS_HIDING_ESCAPE)) === 0 && !this.mayBeginJson(start);
    if (isPlain && !this.mayHoldUnmarked && (this.marks & HAS_BEGINNING) === 0) return;
    const value = decodeJsonString(this.source.text, start, this.at, (this.marks & NEEDS_DECODING) !== 0);
    if (isPlain && context.shapes.hide(value) === value) return;
    const shown = context.redactString(value, this.path(), level, context, onHidden);
    if (shown !== value) this.replace(start, encodeJsonString(shown));
  }

  private mayBeginJson(start: number): boolean {
    const { bytes } = this.source;
    let at = start + 1;
    while (bytes[at] === 32) at += 1;
    // `\n` and the like may stand before JSON text.
    return bytes[at] === 0x7b || bytes[at] === 0x5b || bytes[at] === 0x5c;
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
    if (this.role === 'value') this.pairUp(start);
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
    this.role = undefined;
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
    this.edits.replace(start, this.at, text);
  }

  /** What the name beside it says of a value, if it came before. */
  private pairVerdict(top: number): NameVerdict {
    const name = this.pairs[top]?.name;
    return name === undefined
      ? 'visible'
      : this.source.context.names.field(decodeJsonString(this.source.text, ...name, true));
  }

  /** Remembers a part of a pair, and hides the value when the name comes after it. */
  private pairUp(start: number): void {
    const top = this.indexes.length - 1;
    const span = [start, this.at] as const;
    const role = this.role;
    this.role = undefined;
    if (role === 'value') {
      if (this.pairs[top]?.name === undefined)
        this.pairs[top] = { value: span, valueKey: [this.keyStarts[top]!, this.keyEnds[top]!] };
      return;
    }
    const pair = this.pairs[top];
    this.pairs[top] = { name: span };
    if (pair?.value === undefined) return;
    const verdict = this.pairVerdict(top);
    const isString = this.source.bytes[pair.value[0]] === QUOTE;
    const value = isString ? this.source.text.slice(pair.value[0] + 1, pair.value[1] - 1) : '0';
    if (hidesString(verdict, value)) this.hideBefore(top, pair);
  }

  /** In a text that goes on, a value's name may have been cut away. */
  private hideUnnamed(): void {
    if (this.hiddenDepth !== -1) return;
    this.pairs.forEach((pair, depth) => {
      if (pair?.value !== undefined && pair.value[1] <= this.kept) this.hideBefore(depth, pair);
    });
  }

  private hideBefore(depth: number, { value, valueKey }: Pair): void {
    if (value === undefined || valueKey === undefined) return;
    this.edits.replace(...value, MARK);
    this.source.onHidden(
      this.path(depth) + keySegment(decodeJsonString(this.source.text, ...valueKey, true)),
    );
  }

  private path(depths = this.indexes.length): string {
    let path = this.source.base;
    for (let depth = 0; depth < depths && path.length < MAX_PATH_BUILT; depth += 1) {
      const index = this.indexes[depth]!;
      path += index === -1 ? this.keyPart(depth) : `[${index}]`;
    }
    return path;
  }

  private keyPart(depth: number): string {
    const start = this.keyStarts[depth]!;
    const end = this.keyEnds[depth]!;
    if (end === 0) return '';
    if (end - start <= MAX_PATH_BUILT)
      return keySegment(decodeJsonString(this.source.text, start, end, true));
    // Every place within it is reported with this key, so a long one is not decoded each time.
    const beginning = this.source.text.slice(start + 1, start + MAX_PATH_BUILT);
    return keySegment(`${LEADING_PLAIN.exec(beginning)?.[0] ?? ''}…`);
  }
}
