export { createRedactor } from './create-redactor';
export { toPlain, type PlainLimits } from './to-plain';
export type { RedactedBody, RedactionRules, Redactor, ReportRedaction, Side } from './redactor';
