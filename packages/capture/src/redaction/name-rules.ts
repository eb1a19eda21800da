import type { RedactionRules } from './redactor';
import {
  COUNTING_WORDS,
  HARMLESS_LAST_WORDS,
  HARMLESS_NAMES,
  PUBLIC_HEADERS,
  SECRET_ENDINGS,
  SECRET_HEADER_NAMES,
  SECRET_NAMES,
  SECRET_QUERY_NAMES,
  WHOLE_SECRET_NAMES,
  WHOLE_SECRET_VALUES,
} from './secret-names';
import { splitWords } from './split-words';

/**
 * What a name says of its value. `unless-count`: secret unless it is, or holds only, numbers, or a word
 * of permission (`read`). `unless-object`: secret unless it is an object, whose own names decide.
 */
export type NameVerdict = 'visible' | 'secret' | 'unless-count' | 'unless-object';

export type JudgeName = (name: string) => NameVerdict;

/** Judges names by whole words. Verdicts are kept for the last few thousand names. */
export interface NameRules {
  /** Names of JSON, metadata and text. */
  readonly field: JudgeName;
  /** Names in query strings and forms. */
  readonly parameter: JudgeName;
  /** Names of header fields, in any case. */
  readonly header: JudgeName;
}

interface Rule {
  readonly verdict: NameVerdict;
  readonly isWhole: boolean;
  /** True when a harmless last word does not make the name visible. */
  readonly isStubborn: boolean;
}

const MAX_CACHED_NAMES = 4096;
const MAX_CACHED_LENGTH = 64;
const MAX_RULE_WORDS = 5;
const TOKEN_COUNTERS = new Set(['count', 'max', 'min', 'num', 'per', 'total', 'prompt', 'completion']);

const anywhere: Rule = { verdict: 'secret', isWhole: false, isStubborn: false };
const plural: Rule = { verdict: 'unless-count', isWhole: false, isStubborn: false };
const whole: Rule = { verdict: 'secret', isWhole: true, isStubborn: false };
const wholeValue: Rule = { verdict: 'unless-object', isWhole: true, isStubborn: false };
const stubborn: Rule = { verdict: 'secret', isWhole: false, isStubborn: true };

const NO_PLURAL = new Set(['authorization', 'set cookie']);

export function createNameRules(rules: Pick<RedactionRules, 'add' | 'remove'> = {}): NameRules {
  const base = new Map<string, Rule>();
  for (const name of SECRET_NAMES) {
    base.set(joined(name), anywhere);
    if (!NO_PLURAL.has(name)) base.set(`${joined(name)}s`, plural);
  }
  for (const name of WHOLE_SECRET_NAMES) base.set(joined(name), whole);
  for (const name of WHOLE_SECRET_VALUES) base.set(joined(name), wholeValue);
  const added = joinedSet(rules.add);
  const harmless = joinedSet([...HARMLESS_NAMES, ...(rules.remove ?? [])]);

  const surface = (extra: readonly string[], rule: Rule): JudgeName => {
    const list = new Map(base);
    for (const name of extra) list.set(joined(name), rule);
    return cached((name) => judge(splitWords(name), list, added, harmless));
  };
  const header = surface(SECRET_HEADER_NAMES, stubborn);
  return {
    field: surface([], anywhere),
    parameter: surface(SECRET_QUERY_NAMES, anywhere),
    header: (name) => {
      const lower = name.toLowerCase();
      return PUBLIC_HEADERS.has(lower) ? judge(splitWords(lower), new Map(), added, harmless) : header(lower);
    },
  };
}

function judge(
  allWords: string[],
  list: ReadonlyMap<string, Rule>,
  added: ReadonlySet<string>,
  harmless: ReadonlySet<string>,
): NameVerdict {
  const words = allWords[0] === 'x' && allWords.length > 1 ? allWords.slice(1) : allWords;
  const last = words.length;
  const isHarmlessAfter = (end: number): boolean => end < last && HARMLESS_LAST_WORDS.has(words[last - 1]!);
  let covered: ReturnType<typeof coveredWords> | undefined;
  let verdict: NameVerdict = 'visible';
  for (let start = 0; start < last; start += 1) {
    let text = '';
    for (let end = start + 1; end <= Math.min(last, start + MAX_RULE_WORDS); end += 1) {
      text += words[end - 1]!;
      if (added.has(text) && !isHarmlessAfter(end)) return 'secret';
      const rule = list.get(text) ?? (end === start + 1 && hasSecretEnding(text) ? anywhere : undefined);
      if (rule === undefined || verdict === 'secret') continue;
      if (rule.isWhole && (start > 0 || end < last)) continue;
      if (!rule.isStubborn && isHarmlessAfter(end)) continue;
      covered ??= coveredWords(words, harmless);
      if (covered(start, end) || isCount(words, start, end, text)) continue;
      verdict = rule.verdict;
    }
  }
  return verdict;
}

function hasSecretEnding(word: string): boolean {
  return SECRET_ENDINGS.some((ending) => word.endsWith(ending));
}

function isCount(words: readonly string[], start: number, end: number, text: string): boolean {
  const counters = text === 'tokens' ? COUNTING_WORDS : text === 'token' ? TOKEN_COUNTERS : undefined;
  return counters !== undefined && words.some((word, at) => (at < start || at >= end) && counters.has(word));
}

/** Tells whether words from `start` to `end` lie within one harmless sequence. */
function coveredWords(
  words: readonly string[],
  harmless: ReadonlySet<string>,
): (start: number, end: number) => boolean {
  const spans: (readonly [number, number])[] = [];
  for (let start = 0; start < words.length; start += 1) {
    let text = '';
    for (let end = start + 1; end <= Math.min(words.length, start + MAX_RULE_WORDS); end += 1) {
      text += words[end - 1]!;
      if (harmless.has(text)) spans.push([start, end]);
    }
  }
  return (start, end) => spans.some((span) => span[0] <= start && end <= span[1]);
}

const joined = (name: string): string => splitWords(name).join('');

function joinedSet(names: readonly string[] | undefined): ReadonlySet<string> {
  return new Set((names ?? []).map(joined).filter((name) => name !== ''));
}

function cached(decide: JudgeName): JudgeName {
  const verdicts = new Map<string, NameVerdict>();
  return (name) => {
    const known = verdicts.get(name);
    if (known !== undefined) return known;
    const verdict = decide(name);
    if (name.length <= MAX_CACHED_LENGTH) {
      // Emptied at once when full: cheaper on every hit than keeping an order of use.
      if (verdicts.size >= MAX_CACHED_NAMES) verdicts.clear();
      verdicts.set(name, verdict);
    }
    return verdict;
  };
}
