import type { ConfigProblem } from '../options/config-problem';
import { mapTexts } from './map-texts';

/** Where references get their values; usually `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * How much of a text is read as references.
 *
 * - `file`: `$NAME`, `${NAME}` and `${NAME:-default}` anywhere; `$$` is a dollar sign.
 * - `code`: `${NAME}` and `${NAME:-default}` anywhere, `$NAME` in capitals as a whole text; `$${` is `${`.
 *   A program hands over passwords as they are, and those may hold any `$`. Only one that has no end is refused.
 */
export type ReferenceStyle = 'file' | 'code';

/**
 * A copy of plain data in which references to the environment are replaced, once: what they bring is not read again.
 * The backends and clients of a program are handed on as they are, also where they are object literals.
 *
 * @param literal texts that stay as they are
 */
export function expandReferences(
  data: unknown,
  environment: Environment,
  style: ReferenceStyle,
  literal: ReadonlySet<string> = new Set(),
): { readonly data: unknown; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const expand = (text: string, path: readonly PropertyKey[]): string | undefined => {
    const fail = (message: string): string | undefined => {
      problems.push({ path, message });
      // Nothing is to be found wrong with the reference itself.
      return undefined;
    };
    if (!text.includes('$') || literal.has(text)) return text;
    return style === 'file' ? expandAll(text, environment, fail) : expandMarked(text, environment, fail);
  };
  return { data: mapTexts(data, expand, style === 'code' ? isHandedIn : undefined), problems };
}

/** The settings `backend` and `client` of a half, and of an entry of its fallback. */
function isHandedIn(path: readonly PropertyKey[]): boolean {
  return /^[^.]+(\.fallback(\.to)?\.\d+)?\.(backend|client)$/.test(path.join('.'));
}

const NAME = '[A-Za-z_][A-Za-z0-9_]*';
const IN_FILES = new RegExp(`\\$(?:(\\$)|(${NAME})|\\{(${NAME})(?::-([^}]*))?\\}|(\\{))`, 'g');
const IN_CODE = new RegExp(`\\$(?:(\\$\\{)|\\{(${NAME})(?:(?::-([^}]*))?\\}|[^}]*$))`, 'g');
const WHOLE = /^\$([A-Z_][A-Z0-9_]*)$/;

const UNCLOSED =
  'has a reference without its end: "${" and a name, and no "}". Write ${NAME}, or $${ for "${"';

type Fail = (message: string) => string;
type Give = (message: string) => string | undefined;

function expandAll(text: string, environment: Environment, fail: Give): string | undefined {
  let failure: string | undefined;
  const result = text.replace(
    IN_FILES,
    (_all, dollar?: string, bare?: string, braced?: string, otherwise?: string, open?: string) => {
      if (dollar !== undefined) return '$';
      if (open !== undefined) {
        failure ??=
          'holds "${" that begins no reference. Write ${NAME} or ${NAME:-default}, or $$ for a dollar sign';
        return '';
      }
      return valueOf((bare ?? braced)!, otherwise, environment, (message) => (failure ??= message));
    },
  );
  return failure === undefined ? result : fail(failure);
}

function expandMarked(text: string, environment: Environment, fail: Give): string | undefined {
  let failure: string | undefined;
  const note: Fail = (message) => (failure ??= message);
  const whole = WHOLE.exec(text)?.[1];
  const result =
    whole !== undefined
      ? valueOf(whole, undefined, environment, note)
      : text.replace(IN_CODE, (all: string, escaped?: string, name?: string, otherwise?: string) => {
          if (escaped !== undefined) return '${';
          if (!all.endsWith('}')) return note(UNCLOSED);
          return valueOf(name!, otherwise, environment, note);
        });
  return failure === undefined ? result : fail(failure);
}

function valueOf(name: string, otherwise: string | undefined, environment: Environment, fail: Fail): string {
  if (otherwise?.includes('${') === true)
    return fail(`has a reference within the default of ${name}; nest none`);
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  // As in a shell: an empty variable takes the default too.
  if (otherwise !== undefined) return value === undefined || value === '' ? otherwise : value;
  if (value !== undefined) return value;
  return fail(`the environment variable ${name} is not set. Set it, or give a default: \${${name}:-…}`);
}
