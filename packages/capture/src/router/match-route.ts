import { invalidFields } from '../query/query-error';
import { RouterError } from './router-error';
import { routes, type Route } from './routes';

/**
 * The route of a path, one trailing slash forgiven, and the value of its parameter.
 *
 * @throws {RouterError} `NOT_FOUND`, `METHOD_NOT_ALLOWED`
 */
export function matchRoute(method: string, path: string): { route: Route; parameter: string } {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const slash = trimmed.lastIndexOf('/');
  const last = trimmed.slice(slash + 1);
  const exact = routes.get(trimmed);
  const route = exact ?? (last === '' ? undefined : routes.get(`${trimmed.slice(0, slash)}/*`));
  if (route === undefined) throw new RouterError('NOT_FOUND', 'There is no such route.');
  const allowed = route.method === 'GET' ? ['GET', 'HEAD'] : [route.method];
  if (!allowed.includes(method)) {
    const allow = allowed.join(', ');
    throw new RouterError('METHOD_NOT_ALLOWED', `This route takes ${allow}.`, { allow });
  }
  return { route, parameter: exact === undefined ? decode(last) : '' };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidFields([{ field: 'id', message: 'is not percent-encoded UTF-8' }]);
  }
}
