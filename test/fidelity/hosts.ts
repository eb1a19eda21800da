import type { RequestListener } from 'node:http';
import { fileURLToPath, pathToFileURL } from 'node:url';
import express, { type Express, type RequestHandler } from 'express';
import express4 from 'express4';
import Koa, { type Middleware } from 'koa';
import koa2 from 'koa2';
import { describeError } from './describe-value';
import type { FidelityCase, Tools } from './fidelity-case';
import type { Probe } from './probe';
import type { Run } from './run';

export type HostName = 'Express 4' | 'Express 5' | 'Koa 2' | 'Koa 3' | 'Koa 2, HTTP/2' | 'Koa 3, HTTP/2';

export interface Host {
  readonly name: HostName;
  readonly isExpress: boolean;
  readonly isHttp2: boolean;
  /** The case's program as a listener for requests. */
  build(fidelityCase: FidelityCase, setting: Setting): RequestListener;
}

/** What stands where a program mounts Recap. */
export interface Recording {
  express(): RequestHandler;
  koa(): Middleware;
}

export interface Setting {
  readonly run: Run;
  /** `undefined` for the bare program. */
  readonly recording: Recording | undefined;
  probe(request: object): Probe;
}

const files = fileURLToPath(new URL('files/', pathToFileURL(__filename)));

export const HOSTS: readonly Host[] = [
  expressHost('Express 4', express4),
  expressHost('Express 5', express),
  koaHost('Koa 2', koa2, false),
  koaHost('Koa 3', Koa, false),
  koaHost('Koa 2, HTTP/2', koa2, true),
  koaHost('Koa 3, HTTP/2', Koa, true),
];

/** The hosts on which a case has a program. */
export function hostsOf(fidelityCase: FidelityCase): Host[] {
  return HOSTS.filter((host) => {
    if (host.isHttp2 && (fidelityCase.http2 === false || fidelityCase.client !== undefined)) return false;
    if (fidelityCase.calls ?? fidelityCase.handler ?? fidelityCase.syncHandler) return true;
    return (host.isExpress ? fidelityCase.express : fidelityCase.koa) !== undefined;
  });
}

async function answer(fidelityCase: FidelityCase, probe: Probe): Promise<unknown> {
  if (fidelityCase.calls !== undefined) return probe.play(fidelityCase.calls);
  return fidelityCase.handler?.(probe);
}

function expressHost(name: HostName, framework: typeof express): Host {
  return {
    name,
    isExpress: true,
    isHttp2: false,
    build(fidelityCase, { run, recording, probe }) {
      const app = framework();
      app.set('env', 'production');
      const tools: Tools = {
        run,
        probe,
        mount(target, path) {
          if (recording === undefined) return;
          if (path === undefined) (target as Express).use(recording.express());
          else (target as Express).use(path, recording.express());
        },
        express: framework,
        Koa,
        files,
      };
      if (fidelityCase.mountsItself !== true) tools.mount(app);
      const build = fidelityCase.express ?? undefined;
      if (build !== undefined) build(app, tools);
      else
        app.use((request, _response, next) => {
          const seen = probe(request);
          seen.enter();
          if (fidelityCase.syncHandler !== undefined) return fidelityCase.syncHandler(seen);
          // Express 4 lets a rejection go unhandled; programs on it pass it on themselves.
          return answer(fidelityCase, seen).then(() => undefined, next);
        });
      return app as RequestListener;
    },
  };
}

function koaHost(name: HostName, Framework: typeof Koa, isHttp2: boolean): Host {
  return {
    name,
    isExpress: false,
    isHttp2,
    build(fidelityCase, { run, recording, probe }) {
      const app = new Framework();
      app.on('error', (error: unknown) => {
        run.note(`app error ${describeError(error)}`);
        run.signal('left alone');
      });
      const tools: Tools = {
        run,
        probe,
        mount(target) {
          if (recording !== undefined) (target as Koa).use(recording.koa());
        },
        express,
        Koa: Framework,
        files,
      };
      if (fidelityCase.mountsItself !== true) tools.mount(app);
      const build = fidelityCase.koa ?? undefined;
      if (build !== undefined) build(app, tools);
      else
        app.use((context) => {
          context.respond = false;
          const seen = probe(context.req);
          seen.enter();
          return fidelityCase.syncHandler?.(seen) ?? answer(fidelityCase, seen);
        });
      return app.callback();
    },
  };
}
