import type { ExpressLayer, ExpressRouter } from './express-types';

/**
 * The template that a layer was declared with, given the part of the path that it took.
 *
 * Express 4 keeps only a regular expression: there, what its groups took becomes `:name`.
 */
export function layerTemplate(layer: ExpressLayer, taken: string): string {
  const { rawPath, matchers } = layer;
  if (typeof rawPath === 'string' || rawPath instanceof RegExp) return String(rawPath);
  if (Array.isArray(rawPath)) {
    const index = matchers?.findIndex((match) => match(taken) !== false) ?? -1;
    const declared: unknown = rawPath[index];
    return typeof declared === 'string' || declared instanceof RegExp ? String(declared) : taken;
  }
  if (layer.regexp === undefined) return taken;
  // Groups without names are those of an expression that the program wrote itself.
  const isOwnExpression = (layer.keys ?? []).some(({ name }) => typeof name !== 'string');
  return isOwnExpression ? String(layer.regexp) : templateFromGroups(layer, layer.regexp, taken);
}

/** The part at the start of `path` that a mounted layer takes; `undefined` when it does not match. */
export function takenBy(layer: ExpressLayer, path: string): string | undefined {
  if (layer.slash === true || layer.regexp?.fast_slash === true) return '';
  for (const match of layer.matchers ?? []) {
    const found = match(path);
    if (found !== false) return found.path;
  }
  return layer.regexp === undefined ? undefined : new RegExp(layer.regexp).exec(path)?.[0];
}

/**
 * The template of a mount path, read from the routers that the app holds: the first chain of mounts
 * that takes all of it. For a request whose way was not watched from its start.
 */
export function templateByWalking(router: ExpressRouter, path: string): string | undefined {
  const open: { router: ExpressRouter; rest: string; template: string }[] = [
    { router, rest: path, template: '' },
  ];
  const passedThrough = new Set<unknown>();
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (next.rest === '' || next.rest === '/') return next.template;
    for (const layer of next.router.stack) {
      const inner = layer.handle as Partial<ExpressRouter> | undefined;
      if (layer.route !== undefined || !Array.isArray(inner?.stack)) continue;
      const taken = takenBy(layer, next.rest);
      if (taken === undefined) continue;
      if (taken === '') {
        // Routers that hold each other would be walked for ever.
        if (!passedThrough.has(layer)) open.push({ ...next, router: inner as ExpressRouter });
        passedThrough.add(layer);
        continue;
      }
      open.push({
        router: inner as ExpressRouter,
        rest: next.rest.slice(taken.length),
        template: joinPaths(next.template, layerTemplate(layer, taken)),
      });
    }
  }
  return undefined;
}

/** Joins two templates with one slash between them. */
export function joinPaths(base: string, path: string): string {
  // As most routes are declared.
  if (base === '' && PLAIN.test(path)) return path;
  const joined = `${base}/${path}`.replace(/\/{2,}/g, '/');
  return joined.length > 1 ? joined.replace(/\/$/, '') : joined;
}

const PLAIN = /^(?:\/[^/]+)+$/;

function templateFromGroups({ keys = [] }: ExpressLayer, regexp: RegExp, taken: string): string {
  const flags = regexp.flags.includes('d') ? regexp.flags : `${regexp.flags}d`;
  const spans = new RegExp(regexp.source, flags).exec(taken)?.indices;
  if (spans === undefined) return taken;
  let template = '';
  let done = 0;
  keys.forEach(({ name }, index) => {
    const span = spans[index + 1];
    if (span === undefined || typeof name !== 'string') return;
    template += `${taken.slice(done, span[0])}:${name}`;
    done = span[1];
  });
  return template + taken.slice(done);
}
