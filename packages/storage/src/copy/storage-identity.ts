import type { Backend } from '../backend';

const identities = new WeakMap<Backend, string>();

/** Remembers what tells the storage behind a backend from others, so that two backends of one storage are known as such. */
export function identify(backend: Backend, identity: string | undefined): void {
  if (identity !== undefined) identities.set(backend, identity);
}

export const identityOf = (backend: Backend): string | undefined => identities.get(backend);

export function isSameStorage(one: Backend, other: Backend): boolean {
  const identity = identityOf(one);
  return one === other || (identity !== undefined && identity === identityOf(other));
}

/** For tokens: the kind, and which of its kind where that is known. */
export function endName(backend: Backend): string {
  return nameOfEnd(backend.name, identityOf(backend));
}

export function nameOfEnd(kind: string, identity: string | undefined): string {
  return identity === undefined ? kind : `${kind} ${identity}`;
}
