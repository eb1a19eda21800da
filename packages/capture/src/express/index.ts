export { storageMiddleware } from './storage-middleware';
export type { ExpressHandler, StorageMiddlewareOptions } from './storage-middleware';
export type { ExpressNext, ExpressRequest, ExpressResponse } from './express-types';
