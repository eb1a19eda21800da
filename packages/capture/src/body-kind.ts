/** What structure a body's content type claims, which decides how it is redacted and shown. */
export type BodyKind = 'json' | 'ndjson' | 'sse' | 'form' | 'text' | 'multipart' | 'binary';

const JSON_TYPE = /^(?:application|text|model|image)\/(?:[\w.!#$&^-]+\+)?json$/;
const TEXT_APPLICATION = new Set([
  'application/xml',
  'application/javascript',
  'application/ecmascript',
  'application/graphql',
  'application/yaml',
  'application/x-yaml',
  'application/toml',
  'application/sql',
]);

/** The media type in lower case, without parameters; `''` when absent. */
export function mediaType(contentType: string | undefined): string {
  if (contentType === undefined) return '';
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/**
 * The kind that a content type claims; `undefined` when there is no type and the bytes have to tell.
 */
export function bodyKind(contentType: string | undefined): BodyKind | undefined {
  const type = mediaType(contentType);
  if (type === '') return undefined;
  if (JSON_TYPE.test(type)) return 'json';
  if (/^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines|jsonlines|json-seq)$/.test(type)) return 'ndjson';
  if (type === 'text/event-stream') return 'sse';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (
    type.startsWith('text/') ||
    TEXT_APPLICATION.has(type) ||
    type.endsWith('+xml') ||
    type.endsWith('+yaml')
  ) {
    return 'text';
  }
  if (type.startsWith('multipart/')) return 'multipart';
  return 'binary';
}
