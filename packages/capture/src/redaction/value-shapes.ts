import { findCardNumbers, mayHoldCardNumber } from './card-numbers';
import { REDACTED } from './redacted-mark';
import { holdsBeginning } from './shape-beginnings';

/** Finds secrets by what they look like, whatever they are called. */
export interface ValueShapes {
  /** The text with each secret in it replaced; the same string when there is none. */
  hide(text: string): string;
  /** False only when no string in this JSON text holds a card number, and no pattern of the program's own is to be tried. */
  mayHoldUnmarked(text: string): boolean;
}

/*
 * Every pattern is linear: it fails within a bounded number of characters, or takes all that it reads.
 * What each begins with is listed in `shape-beginnings.ts`.
 */
const KEYS: readonly RegExp[] = [
  // Amazon, GitHub, Google.
  /(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![a-z0-9])/g,
  /gh[pousr]_[A-Za-z0-9]{16,}/g,
  /github_pat_[A-Za-z0-9_]{20,}/g,
  /AIza[\w-]{30,}/g,
  /(?:ya29\.|GOCSPX-)[\w.-]{20,}/g,
  // Slack, and its webhooks, whose address is the secret.
  /xox[a-z]-[A-Za-z0-9-]{10,}/g,
  /xapp-\d-[A-Za-z0-9-]{10,}/g,
  /(?<=hooks\.slack\.com\/services\/)[\w/]{12,}/g,
  // Stripe and others with the same habit.
  /[prs]k_(?:live|test)_[A-Za-z0-9]{8,}/g,
  /whsec_[A-Za-z0-9+/=]{12,}/g,
  // GitLab, npm, PyPI, Docker, Hugging Face, Groq, Shopify, DigitalOcean, SendGrid, Vault, Atlassian, Postman, Grafana.
  /gl(?:pat|dt|rt|ptt|cbt|soat|ft|agent|oas)-[\w-]{16,}/g,
  /(?<![A-Za-z0-9])(?:npm|hf|gsk)_[A-Za-z0-9]{20,}/g,
  /pypi-[\w-]{32,}/g,
  /dckr_[op]at_[\w-]{20,}/g,
  /shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{20,}/g,
  /do[oprt]_v1_[a-f0-9]{20,}/g,
  /(?<![A-Za-z0-9])SG\.[\w-]{16,64}\.[\w-]{16,}/g,
  /(?<![A-Za-z0-9])hv[sbr]\.[\w-]{20,}/g,
  /ATATT3[\w=-]{20,}/g,
  /PMAK-[a-f0-9]{24}-[a-f0-9]{20,}/g,
  /glsa_[A-Za-z0-9_]{20,}/g,
  /xkeysib-[a-f0-9-]{32,}/g,
  /AGE-SECRET-KEY-1[A-Z0-9]{20,}/g,
  // A Telegram bot.
  /(?<![A-Za-z0-9])\d{8,10}:AA[\w-]{32,}/g,
];

/** OpenAI, Anthropic and others; a slug that begins so has no digit or capital in its first part. */
const SK_KEY = /(?<![A-Za-z0-9_])sk-[\w-]{16,}/g;
const HAS_DIGIT_OR_CAPITAL = /[0-9A-Z]/;
/** A run that begins as base64 of `{"` does; only with a dot it is a token and no mere cursor. */
const JWT = /eyJ[\w-]{8,}(?:\.[\w-]*)*/g;
const BEARER = /(?<![A-Za-z0-9])(bearer\s{1,4})([\w.~+/=-]{6,})/gi;
const BASIC = /(?<![A-Za-z0-9])(basic\s{1,4})([A-Za-z0-9+/_-]{4,}={0,2})/gi;
const TOKEN_LIKE = /^(?=.{20})|[0-9._~+/=-]|.[A-Z]/;
const URL_USER = /:\/\/([^\s/?#"'<>\\]*)@/g;
const PEM_BEGIN = /-----BEGIN ([A-Z0-9 ]{0,40}(?:PRIVATE KEY|SECRET KEY)[A-Z ]{0,20})-----/g;
const PEM_END = '-----END';
const URL_USER_BREAK = new Set(Buffer.from('\t\n\r /?#"\'<>\\@'));
const LONGEST_PLAIN_USER = 15;

/** @param patterns shapes of the program's own, besides the built-in ones */
export function createValueShapes(patterns: readonly RegExp[] = []): ValueShapes {
  const own = patterns.map((pattern) => new RegExp(pattern.source, globalFlags(pattern)));
  return {
    hide(text) {
      let result = text;
      if (text.length >= 8 && mayHoldBuiltIn(text)) result = hideBuiltIn(text);
      for (const pattern of own) result = result.replace(pattern, (match) => (match === '' ? '' : REDACTED));
      return result;
    },
    mayHoldUnmarked: (text) => own.length > 0 || mayHoldCardNumber(text),
  };
}

function globalFlags(pattern: RegExp): string {
  return `${pattern.flags.replace(/[gy]/g, '')}g`;
}

function mayHoldBuiltIn(text: string): boolean {
  return mayHoldUrlUser(text) || holdsBeginning(text) || mayHoldCardNumber(text);
}

/** Looks back from each `@`, of which there are fewer than of `://`. */
function mayHoldUrlUser(text: string): boolean {
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && !URL_USER_BREAK.has(text.charCodeAt(start - 1))) start -= 1;
    if (start > 2 && text.startsWith('://', start - 3) && text.slice(start, at) !== '') return true;
  }
  return false;
}

function hideBuiltIn(text: string): string {
  let result = hidePem(text);
  result = result.replace(URL_USER, (match, user: string) =>
    user.includes(':') || user.length > LONGEST_PLAIN_USER ? `://${REDACTED}@` : match,
  );
  result = result.replace(JWT, (match) => (match.includes('.') ? REDACTED : match));
  for (const key of KEYS) result = result.replace(key, REDACTED);
  result = result.replace(SK_KEY, (match) => (HAS_DIGIT_OR_CAPITAL.test(match.slice(3)) ? REDACTED : match));
  result = result.replace(BEARER, (match, scheme: string, token: string, at: number, whole: string) => {
    // `Bearer realm="…"` is a challenge.
    const isChallenge = token.endsWith('=') && whole[at + match.length] === '"';
    return TOKEN_LIKE.test(token) && !isChallenge ? `${scheme}${REDACTED}` : match;
  });
  result = result.replace(BASIC, (match, scheme: string, token: string) =>
    isUserAndPassword(token) ? `${scheme}${REDACTED}` : match,
  );
  return hideCards(result);
}

/** RFC 7617: base64 of `user:password`, which no word of prose is. */
function isUserAndPassword(token: string): boolean {
  const decoded = Buffer.from(token, 'base64').toString('utf8');
  return decoded.includes(':') && !/[\0-\x1f\x7f\ufffd]/.test(decoded);
}

/** A key whose end is missing is hidden to the end of the text. */
function hidePem(text: string): string {
  let result = '';
  let from = 0;
  PEM_BEGIN.lastIndex = 0;
  for (let match = PEM_BEGIN.exec(text); match !== null; match = PEM_BEGIN.exec(text)) {
    result += text.slice(from, match.index) + REDACTED;
    const end = text.indexOf(PEM_END, PEM_BEGIN.lastIndex);
    if (end === -1) return result;
    const close = text.indexOf('-----', end + PEM_END.length);
    from = close === -1 ? text.length : close + 5;
    PEM_BEGIN.lastIndex = from;
  }
  return from === 0 ? text : result + text.slice(from);
}

function hideCards(text: string): string {
  let result = '';
  let from = 0;
  for (const [start, end] of findCardNumbers(text)) {
    result += text.slice(from, start) + REDACTED;
    from = end;
  }
  return from === 0 ? text : result + text.slice(from);
}
