export { registerMetrics } from './register-metrics';
export type { OpenTelemetryOptions } from './register-metrics';
