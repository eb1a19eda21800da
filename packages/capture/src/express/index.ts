export { bearerToken, localhostOnly } from '../router/ready-authenticators';
export type { Principal } from '../query/principal';
export { storageMiddleware } from './storage-middleware';
export type { ExpressHandler, StorageMiddlewareOptions } from './storage-middleware';
export { storageRouter } from './storage-router';
export type {
  ExpressStorageRouterOptions,
  StorageRouterHandler,
  StorageRouterRequest,
} from './storage-router';
export type { ExpressNext, ExpressRequest, ExpressResponse } from './express-types';
