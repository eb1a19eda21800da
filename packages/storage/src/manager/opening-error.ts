import { isStorageError, StorageError } from '../errors';
import { isSocket } from './is-socket';
import type { ResolvedBackend, Role } from './resolved-config';

/** An error of opening, which says of which of the two it is, and on which server. */
export function openingError(error: unknown, role: Role, config: ResolvedBackend): unknown {
  if (!isStorageError(error)) return error;
  const server = serverOf(config);
  const place = server === undefined ? '' : ` at ${server}`;
  const { code, message, cause } = error;
  return new StorageError(code, `The ${role}${place} cannot be opened. ${message}`, { cause });
}

/** Without who comes. `undefined` where only the program knows it, or a URL that may be badly written holds it. */
function serverOf(config: ResolvedBackend): string | undefined {
  if ('client' in config && config.client !== undefined) return undefined;
  switch (config.type) {
    case 'postgres': {
      const { host = process.env['PGHOST'], port = process.env['PGPORT'] } = config;
      // Its driver looks for the socket in a folder, by the port.
      if (isSocket(host)) return `${host}/.s.PGSQL.${port ?? 5_432}`;
      return nodeName({ host, port: port ?? 5_432 });
    }
    case 'redis': {
      const { host, port = 6_379, sentinel, cluster } = config;
      return (sentinel ?? cluster)?.nodes.map(nodeName).join(', ') ?? nodeName({ host, port });
    }
    case 'mongodb':
      return config.url === undefined
        ? nodeName({ host: config.host, port: config.port ?? 27_017 })
        : undefined;
    default:
      return undefined;
  }
}

function nodeName({
  host = 'localhost',
  port,
}: {
  readonly host?: string | undefined;
  readonly port: number | string;
}): string {
  if (isSocket(host)) return host;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
