import type { ServerResponse } from 'node:http';
import type { Refusal } from './held-answer';

/** Of the program's own head: what a browser needs to read the refusal at all, and what keeps the connection in order. */
const KEPT = /^(?:date|connection|keep-alive|vary|access-control-[a-z-]+)$/i;

export function isKeptHeader(name: string): boolean {
  return KEPT.test(name);
}

/** The bytes of a refusal over HTTP/1. @param head what Node would have sent before the program's body */
export function refusalBytes(response: ServerResponse, head: string | undefined, refusal: Refusal): Buffer {
  const kept = (head ?? 'Connection: close')
    .split('\r\n')
    .filter((line) => isKeptHeader(line.slice(0, Math.max(0, line.indexOf(':')))));
  const own = refusal.headers.map(([name, value]) => `${name}: ${value}`);
  const text = `HTTP/1.1 ${refusal.status} ${response.statusMessage}\r\n${[...own, ...kept].join('\r\n')}\r\n\r\n`;
  const bytes = Buffer.from(text, 'latin1');
  return response.req.method === 'HEAD' ? bytes : Buffer.concat([bytes, refusal.body]);
}
