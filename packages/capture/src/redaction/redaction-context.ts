import type { CleanBodies } from './clean-bodies';
import type { HarmlessFields } from './harmless-fields';
import type { HarmlessKeys } from './harmless-keys';
import type { NameRules } from './name-rules';
import type { PathRules } from './redaction-paths';
import type { ValueShapes } from './value-shapes';

/** The rules that every part of the redactor goes by. */
export interface RedactionContext {
  readonly names: NameRules;
  readonly shapes: ValueShapes;
  readonly paths: PathRules;
  /** Remembered across bodies, since the same names come in all of them. */
  readonly harmlessKeys: HarmlessKeys;
  /** Remembered across exchanges, for the same reason. */
  readonly harmlessFields: HarmlessFields;
  /** Of JSON, judged without rules for places. */
  readonly cleanBodies: CleanBodies;
  /** {@link RedactString}, handed down because strings hold forms and JSON, which hold strings. */
  readonly redactString: RedactString;
}

/**
 * Redacts one string value and reports it as `path`, or what is within it as more than that.
 *
 * @param level how many strings this one is within
 */
export type RedactString = (
  text: string,
  path: string,
  level: number,
  context: RedactionContext,
  onHidden: OnHidden,
) => string;

/** Called with the path of each place where something was hidden, not yet fit for storing. */
export type OnHidden = (path: string) => void;
