import { isCleanJson } from './clean-json';
import { afterBom, type JsonOutcome, type JsonSource } from './json-source';
import { JsonWalk } from './json-walk';

/** Redacts JSON text in one pass and without recursion; what is not hidden keeps every byte. */
export function redactJson(source: JsonSource): JsonOutcome {
  const { bytes, from, to, isEnded, context } = source;
  const mayHoldUnmarked =
    source.mayHoldUnmarked ?? context.shapes.mayHoldUnmarked(source.text.slice(from, to));
  if (isEnded && !mayHoldUnmarked && context.paths.isEmpty) {
    const isClean = isCleanJson(bytes, source.text, afterBom(bytes, from), to, context);
    if (isClean) return { state: 'complete', text: source.text.slice(from, to), isChanged: false };
  }
  return new JsonWalk(source, mayHoldUnmarked).run();
}
