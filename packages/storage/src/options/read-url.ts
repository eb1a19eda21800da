/** What a connection URL says. Fields it leaves open are `undefined`. */
export interface UrlFields {
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  /** The path without its first slash. */
  readonly database?: string;
  readonly isEncrypted: boolean;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Takes a URL apart. A problem never quotes it: what does not parse may well be a password with a character that
 * had to be escaped.
 */
export function readUrl(
  url: string,
  schemes: Readonly<Record<string, { readonly isEncrypted: boolean }>>,
): UrlFields | { readonly problem: string } {
  const begins = Object.keys(schemes).map((scheme) => `${scheme}//`);
  const scheme = Object.keys(schemes).find((each) => url.toLowerCase().startsWith(`${each}//`));
  if (scheme === undefined) return { problem: `has to begin with ${begins.join(' or ')}` };
  // Whatever a password holds, it must not make another host of what stands before it.
  const [, authority = '', rest = ''] = /^[^/]*\/\/([^/?#]*)(.*)$/s.exec(url) ?? [];
  if (rest.includes('@') || authority.indexOf('@') !== authority.lastIndexOf('@'))
    return {
      problem:
        'can be read in two ways: an @ is where none may be. Characters such as @ : / ? # % in a name or password are written %40 and so on',
    };
  let parsed: URL;
  const fields: { -readonly [Key in keyof UrlFields]: UrlFields[Key] } = {
    isEncrypted: schemes[scheme]!.isEncrypted,
    parameters: new Map(),
  };
  try {
    parsed = new URL(url);
    if (parsed.username !== '') fields.username = decodeURIComponent(parsed.username);
    if (parsed.password !== '') fields.password = decodeURIComponent(parsed.password);
    const database = decodeURIComponent(parsed.pathname.replace(/^\//, ''));
    if (database !== '') fields.database = database;
    // Brackets belong to the URL, not to an IPv6 address.
    const host = decodeURIComponent(parsed.hostname).replace(/^\[(.*)\]$/, '$1');
    if (host !== '') fields.host = host;
  } catch {
    return {
      problem: 'is no URL. Characters such as @ : / ? # % in a name or password are written %40 and so on',
    };
  }
  if (parsed.port !== '') fields.port = Number(parsed.port);
  if (parsed.hash !== '') return { problem: 'has a "#"; in a password it is written %23' };
  fields.parameters = new Map(parsed.searchParams);
  return fields;
}
