export { FakeClock } from './fake-clock';
export { describeBackend } from './describe-backend';
export type { DescribeBackendOptions } from './describe-backend';
export type { TestFramework } from './test-framework';
export { describeCache } from './describe-cache';
export type { DescribeRoleOptions } from './describe-cache';
export { describeDatabase } from './describe-database';
export type { OpenRole, Role } from './role-context';
