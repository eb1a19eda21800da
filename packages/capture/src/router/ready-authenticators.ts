import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { StorageError } from '@recap/storage';
import type { Principal } from '../query/principal';

/** What the ready authenticators look at; an Express request and a Koa context both have it. */
export interface AuthenticatedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

const MIN_TOKEN_LENGTH = 16;
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/**
 * Lets in whoever sends `Authorization: Bearer <token>`, as the one given principal.
 *
 * @param token at least 16 characters; make it with `openssl rand -hex 32`
 * @throws {StorageError} `CONFIG_INVALID` for a shorter token
 */
export function bearerToken(
  token: string,
  principal: Principal,
): (request: AuthenticatedRequest) => Principal | undefined {
  if (typeof token !== 'string' || token.length < MIN_TOKEN_LENGTH) {
    throw new StorageError(
      'CONFIG_INVALID',
      `bearerToken needs a token of at least ${MIN_TOKEN_LENGTH} characters. Make one: openssl rand -hex 32`,
    );
  }
  // Digests have one length, so that comparing takes the same time whatever was sent.
  const expected = digest(token);
  return ({ headers }) => {
    const sent = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1];
    return sent !== undefined && timingSafeEqual(digest(sent), expected) ? principal : undefined;
  };
}

/**
 * **For development only.** Lets in every program and every user of this machine, without a password, as
 * the one given principal. Goes by the address of the connection, never by a header; refuses when a
 * header shows that a proxy is in front (then every client of the proxy would seem local), and when the
 * browser was led here under another name than `localhost` or a loopback address. A proxy that sends
 * no such header opens everything to everyone: do not use this behind one.
 */
export function localhostOnly(
  principal: Principal,
): (request: AuthenticatedRequest) => Principal | undefined {
  return ({ headers, socket }) => {
    if (!isLoopback(socket.remoteAddress ?? '')) return undefined;
    if (FORWARDED.some((name) => headers[name] !== undefined)) return undefined;
    const host = headers.host ?? headers[':authority'];
    return typeof host === 'string' && isLocalName(host) ? principal : undefined;
  };
}

function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address) || address === '::1';
}

function isLocalName(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    isLoopback(hostname.replace(/^\[|\]$/g, ''))
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
