import { redactAssignments } from './assignments';
import { redactForm } from './form-redaction';
import { redactJson } from './json-redaction';
import type { RedactionContext, RedactString } from './redaction-context';

const MAX_LEVELS = 3;
const JSON_START = /^\s*[[{]/;
/** From `?` or `#` to the end of a URL within a text. */
const QUERY = /[?#][^\s"'<>`?#]+/g;

/** Redacts JSON text, queries of URLs, `name=value`, `name: value` and secrets by shape; strings within strings three levels deep. */
export const redactString: RedactString = (text, path, level, context, onHidden) => {
  if (level < MAX_LEVELS && JSON_START.test(text)) {
    const inner = redactInnerJson(text, path, level, context, onHidden);
    if (inner !== undefined) return inner;
  }
  const result = redactPhrase(text, path, level, context, 'any');
  if (result !== text) onHidden(path);
  return result;
};

/** Redacts text that is no JSON; `any` also takes `name: value`. What was hidden is not reported. */
export function redactPhrase(
  text: string,
  path: string,
  level: number,
  context: RedactionContext,
  separators: 'equals' | 'any',
): string {
  let result = text;
  if (result.includes('=')) result = redactQueries(result, path, level, context);
  if (result.includes('=') || (separators === 'any' && result.includes(':')))
    result = redactAssignments(result, context, separators);
  return context.shapes.hide(result);
}

function redactQueries(text: string, path: string, level: number, context: RedactionContext): string {
  if (level >= MAX_LEVELS || !(text.includes('?') || text.includes('#'))) return text;
  const ignore = (): void => undefined;
  return text.replace(QUERY, (query) =>
    query.includes('=')
      ? query[0]! + redactForm(query.slice(1), path, level + 1, withoutPaths(context), ignore)
      : query,
  );
}

/** A URL's parameters have no path of their own within a body, so no rule may meet them by chance. */
function withoutPaths(context: RedactionContext): RedactionContext {
  return context.paths.isEmpty ? context : { ...context, paths: { isEmpty: true, hides: () => false } };
}

function redactInnerJson(
  text: string,
  path: string,
  level: number,
  context: RedactionContext,
  onHidden: (path: string) => void,
): string | undefined {
  const bytes = Buffer.from(text, 'utf8');
  const reported: string[] = [];
  const outcome = redactJson({
    bytes,
    text: bytes.toString('latin1'),
    from: 0,
    to: bytes.length,
    isEnded: true,
    level: level + 1,
    base: path,
    context,
    onHidden: (place) => reported.push(place),
    mayHoldUnmarked: undefined,
  });
  if (outcome.state !== 'complete') return undefined;
  for (const place of reported) onHidden(place);
  return outcome.isChanged ? Buffer.from(outcome.text, 'latin1').toString('utf8') : text;
}
