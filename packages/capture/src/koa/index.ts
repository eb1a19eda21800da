export { bearerToken, localhostOnly } from '../router/ready-authenticators';
export type { Principal } from '../query/principal';
export { storageMiddleware } from './storage-middleware';
export type { KoaHandler, StorageMiddlewareOptions } from './storage-middleware';
export { storageRouter } from './storage-router';
export type {
  KoaStorageRouterOptions,
  StorageRouterContext,
  StorageRouterMiddleware,
} from './storage-router';
export type { KoaContext, KoaNext } from './koa-types';
