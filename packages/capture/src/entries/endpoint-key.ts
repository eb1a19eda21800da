/** Prefixes that make no difference between endpoints. Both lists are empty by default. */
export interface EndpointRules {
  /** Leading version segments to leave out, such as `['v1', 'v2']`. */
  readonly versionPrefixes?: readonly string[];
  /** Leading paths to leave out, such as `['/api']`; left out before a version. */
  readonly basePrefixes?: readonly string[];
}

/** Brings an endpoint into the form in which endpoints are compared. Pure, and its own result is a fixed point. */
export type NormalizeEndpoint = (endpoint: string) => string;

const MAX_KNOWN = 1_000;

/**
 * The one normalisation of endpoints, used when an entry is written and when one is looked for: one
 * leading slash, none doubled, none trailing, lower case, without the configured prefixes.
 */
export function createEndpointNormalizer(rules: EndpointRules = {}): NormalizeEndpoint {
  const bases = (rules.basePrefixes ?? []).map(segments).filter(isNotEmpty).sort(longestFirst);
  const versions = (rules.versionPrefixes ?? []).map(segments).filter(isNotEmpty).sort(longestFirst);
  // Templates are few, and asked about for every entry.
  const known = new Map<string, string>();
  return (endpoint) => {
    let key = known.get(endpoint);
    if (key === undefined) {
      key = normalize(endpoint, bases, versions);
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(endpoint, key);
    }
    return key;
  };
}

function normalize(
  endpoint: string,
  bases: readonly (readonly string[])[],
  versions: readonly (readonly string[])[],
): string {
  let parts = segments(endpoint);
  // Repeated until nothing changes, so that normalising twice is normalising once.
  for (let before = -1; before !== parts.length;) {
    before = parts.length;
    parts = withoutPrefix(withoutPrefix(parts, bases), versions);
  }
  return `/${parts.join('/')}`;
}

function segments(path: string): string[] {
  return path
    .trim()
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '');
}

const isNotEmpty = (parts: readonly string[]): boolean => parts.length > 0;
const longestFirst = (a: readonly string[], b: readonly string[]): number => b.length - a.length;

function withoutPrefix(parts: string[], prefixes: readonly (readonly string[])[]): string[] {
  const hit = prefixes.find((prefix) => prefix.every((part, index) => parts[index] === part));
  return hit === undefined ? parts : parts.slice(hit.length);
}
