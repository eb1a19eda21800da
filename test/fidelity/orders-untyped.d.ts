declare module 'morgan' {
  import type { Handler } from 'express';
  export default function morgan(
    format: string,
    options: { readonly stream: { write(line: string): unknown } },
  ): Handler;
}
