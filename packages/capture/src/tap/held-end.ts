import type { ServerResponse } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { HeldAnswer, Refusal } from './held-answer';
import { stopObserving } from './patch-response';
import { isKeptHeader } from './refusal';

type Method = (this: ServerResponse, ...args: unknown[]) => unknown;

/** What says that the answer is given, while it is held. */
const SAYS_ENDED = ['headersSent', 'writableEnded', 'finished'] as const;
/** Refused once the answer is given. */
const HEAD_METHODS = ['setHeader', 'appendHeader', 'removeHeader', 'writeHead', 'flushHeaders'] as const;

/** Keeps `end` from a response over HTTP/2, which makes its head and its frames within the call. */
export function heldEndOverHttp2(response: ServerResponse, args: unknown[], method: Method): HeldAnswer {
  const isWhole = !response.headersSent;
  const later: LaterCall[] = [];
  const restore = pretendEnded(response, later);
  let isHeld = true;
  const letGo = (): boolean => {
    if (!isHeld) return false;
    isHeld = false;
    restore();
    // `end` calls `write`, which has been seen.
    stopObserving(response);
    return true;
  };
  return {
    isWhole,
    release: () => {
      if (!letGo()) return;
      method.apply(response, args);
      for (const call of later) call();
    },
    refuse: ({ status, headers, body }: Refusal) => {
      if (!letGo()) return;
      if (!isWhole) {
        const { stream } = response as unknown as { readonly stream: ServerHttp2Stream };
        stream.close(constants.NGHTTP2_INTERNAL_ERROR);
        return;
      }
      for (const name of response.getHeaderNames()) if (!isKeptHeader(name)) response.removeHeader(name);
      for (const [name, value] of headers) response.setHeader(name, value);
      response.statusCode = status;
      const callback = args.find((each) => typeof each === 'function');
      const given = response.req.method === 'HEAD' ? [] : [body];
      method.apply(response, callback === undefined ? given : [...given, callback]);
      for (const call of later) call();
    },
  };
}

type LaterCall = () => void;

/**
 * @param later gets what the program calls meanwhile
 * @returns call it to have the response as it was
 */
function pretendEnded(response: ServerResponse, later: LaterCall[]): () => void {
  const before = new Map<string, PropertyDescriptor | undefined>();
  const put = (name: string, descriptor: PropertyDescriptor): void => {
    before.set(name, Object.getOwnPropertyDescriptor(response, name));
    Object.defineProperty(response, name, { ...descriptor, configurable: true, enumerable: false });
  };
  for (const name of SAYS_ENDED) put(name, { get: () => true });
  for (const name of HEAD_METHODS) {
    put(name, {
      value: () => {
        throw Object.assign(new Error('Response has already been initiated'), {
          code: 'ERR_HTTP2_HEADERS_SENT',
        });
      },
    });
  }
  for (const name of ['write', 'end', 'destroy'] as const) {
    put(name, {
      value: (...args: unknown[]) => {
        later.push(() => {
          (response[name] as Method).apply(response, args);
        });
        return name === 'write' ? false : response;
      },
    });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(response, name);
      else Object.defineProperty(response, name, descriptor);
    }
  };
}
