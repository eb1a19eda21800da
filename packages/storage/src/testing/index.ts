export { FakeClock } from './fake-clock';
export { describeBackend } from './describe-backend';
export type { DescribeBackendOptions } from './describe-backend';
export type { TestFramework } from './test-framework';
export { createFaultyBackend } from './faulty-backend';
export type { Fault, FaultyBackend, FaultyMethod } from './faulty-backend';
