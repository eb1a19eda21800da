export { storageMiddleware } from './storage-middleware';
export type { KoaHandler, StorageMiddlewareOptions } from './storage-middleware';
export type { KoaContext, KoaNext } from './koa-types';
