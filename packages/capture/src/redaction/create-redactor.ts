import { redactBody } from './body-redaction';
import { CleanBodies } from './clean-bodies';
import { HarmlessFields } from './harmless-fields';
import { createHarmlessKeys } from './harmless-keys';
import { redactForm } from './form-redaction';
import { redactHeaders } from './header-redaction';
import { redactMetadata } from './metadata-redaction';
import { createNameRules } from './name-rules';
import { redactPath } from './path-redaction';
import type { OnHidden, RedactionContext } from './redaction-context';
import { createPathRules, presentPath } from './redaction-paths';
import type { RedactionRules, Redactor, ReportRedaction } from './redactor';
import { redactString } from './string-redaction';
import { redactText } from './text-redaction';
import { createValueShapes } from './value-shapes';

/**
 * The redactor with the built-in rules and those of the program. One redactor serves a whole process.
 * Rules are judged once, here; an empty list changes nothing.
 */
export function createRedactor(rules: RedactionRules = {}): Redactor {
  const shapes = createValueShapes(rules.patterns);
  const context: RedactionContext = {
    names: createNameRules(rules),
    shapes,
    paths: createPathRules(rules.paths),
    harmlessKeys: createHarmlessKeys(),
    harmlessFields: new HarmlessFields(),
    cleanBodies: new CleanBodies(),
    redactString,
  };
  const reporting =
    (report: ReportRedaction): OnHidden =>
    (path) =>
      report(presentPath(path, shapes));
  return {
    headers: (side, headers, report) => redactHeaders(headers, `${side}.headers`, context, reporting(report)),
    query: (query, report) => redactForm(query, 'request.query', 0, context, reporting(report)),
    path: (path, parameters, report) =>
      redactPath(path, parameters, 'request.path', context, reporting(report)),
    body: (side, bytes, kind, isComplete, report) =>
      redactBody(bytes, kind, isComplete, `${side}.body`, context, reporting(report)),
    text: (text, where, report) => redactText(text, where, context, reporting(report)),
    metadata: (metadata, report) => redactMetadata(metadata, 'metadata', context, reporting(report)),
  };
}
