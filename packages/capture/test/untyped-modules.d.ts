declare module 'express4' {
  import express from 'express';
  export default express;
}
declare module 'koa2' {
  import Koa from 'koa';
  export default Koa;
}
declare module 'koa-mount' {
  import type { Middleware } from 'koa';
  export default function mount(prefix: string, app: unknown): Middleware;
}
