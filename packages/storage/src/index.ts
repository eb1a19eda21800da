export { StorageError, errorCode } from './errors';
export type { StorageErrorCode } from './errors';
export { systemClock } from './clock';
export type { Clock } from './clock';
export { newId } from './new-id';
export { loadDriver } from './load-driver';
