import { bodyKind } from '../body-kind';
import { BodyCollector } from './body-collector';
import { isKeptType } from './kept-types';
import type { TapTarget, TapTools } from './tap-target';

/** What a body of this content type is collected in: all of it, or its size and digest alone. */
export function collectBody(
  { settings: { maxBodyBytes, contentTypes } }: TapTarget,
  { budget }: TapTools,
  contentType: string | undefined,
  kind = bodyKind(contentType),
): BodyCollector {
  const collector = new BodyCollector(maxBodyBytes, budget);
  const isKept = (kind !== 'binary' && kind !== 'multipart') || isKeptType(contentType, contentTypes);
  if (!isKept) collector.omit('content_type');
  return collector;
}
