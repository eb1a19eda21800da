export { registerMetrics } from './register-metrics';
export type { PrometheusOptions } from './register-metrics';
