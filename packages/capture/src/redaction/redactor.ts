import type { BodyKind } from '../body-kind';
import type { HeaderList } from '../exchange';

/**
 * Called once for each place where something was hidden, with its whole path: `request.headers.cookie`,
 * `request.query.token`, `request.path.token`, `request.body.users[0].password`, `response.body.jwt`,
 * `error.message`, `metadata.apiKey`.
 */
export type ReportRedaction = (path: string) => void;

export interface RedactedBody {
  /** What may be stored; `undefined` when the body has to be dropped. */
  readonly bytes: Buffer | undefined;
  /** True when the end had to be cut away because it could not be judged. */
  readonly isCut: boolean;
  /** Why it was dropped: `unparsable`, or `charset` for text in which names cannot be found. */
  readonly reason?: string;
}

/** Which side of an exchange a surface belongs to. */
export type Side = 'request' | 'response';

/**
 * Hides what must not be stored. Pure: arguments are never changed. Nothing here throws for any input;
 * the pipeline drops the surface when something does all the same.
 */
export interface Redactor {
  /** Header fields, `Cookie` and `Set-Cookie` (cookie names stay), URLs in `Referer`, `Location` and the like. */
  headers(side: Side, headers: HeaderList, report: ReportRedaction): HeaderList;
  /** A query string without `?`. */
  query(query: string, report: ReportRedaction): string;
  /** A concrete path; segments that are values of parameters with a secret's name are hidden, and secrets by shape. */
  path(path: string, parameters: Readonly<Record<string, string>>, report: ReportRedaction): string;
  /**
   * Decoded body bytes. `isComplete` false means that the end is missing: what cannot be judged at the
   * end is cut away. A complete JSON body that does not parse is dropped, and so is UTF-16 and UTF-32 text.
   */
  body(side: Side, bytes: Buffer, kind: BodyKind, isComplete: boolean, report: ReportRedaction): RedactedBody;
  /** Free text, reported as `where` (`error.message`). */
  text(text: string, where: string, report: ReportRedaction): string;
  /** A copy of metadata. */
  metadata(metadata: Readonly<Record<string, unknown>>, report: ReportRedaction): Record<string, unknown>;
}

/** Rules that a program adds to the built-in ones, or takes from them. */
export interface RedactionRules {
  /** Names to hide besides the built-in ones, as whole words (`clientSecret`, `pin_code`); case, `-` and `_` do not matter. */
  readonly add?: readonly string[];
  /** Names not to hide although a built-in rule would, written the same way. */
  readonly remove?: readonly string[];
  /** Exact paths to hide, such as `request.body.user.email` or, for every element, `response.body.items[].iban`. */
  readonly paths?: readonly string[];
  /** Shapes of values to hide besides the built-in ones. Use linear patterns: they run on every string. */
  readonly patterns?: readonly RegExp[];
  /**
   * A module whose functions redact further, in the worker as well: an absolute path, a `file:` URL, a path that begins
   * with `./` or the name of a package, both as seen from where the program was started. See `RedactionFunctions`.
   */
  readonly module?: string;
}
