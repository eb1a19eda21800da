export { createRedactor } from './create-redactor';
export { loadRedactionModule, resolveRedactionModule } from './redaction-module';
export type { RedactedBodyPlace, RedactionFunctions } from './redaction-module';
export { toPlain, type PlainLimits } from './to-plain';
export type { RedactedBody, RedactionRules, Redactor, ReportRedaction, Side } from './redactor';
export { withFunctions } from './with-functions';
