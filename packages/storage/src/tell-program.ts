/**
 * Calls a function of the program. That it throws, or is async and rejects, is nobody's failure: a warning of the process,
 * or what `onFailure` makes of it.
 */
export function tellProgram(tell: () => unknown, onFailure: (error: unknown) => void = warn): void {
  try {
    const told = tell();
    if (isThenable(told)) Promise.resolve(told).catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
}

/** A warning of the process. Of what is no error, `process.emitWarning` would throw one itself. */
export function warnOf(error: unknown): void {
  if (error instanceof Error) process.emitWarning(error);
  else process.emitWarning(messageOf(error), { type: 'RecapWarning' });
}

function warn(error: unknown): void {
  process.emitWarning(`A function of the program that was told something threw: ${messageOf(error)}`, {
    type: 'RecapWarning',
  });
}

function messageOf(error: unknown): string {
  const message = (error as { readonly message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : 'no error';
}

function isThenable(told: unknown): boolean {
  return typeof (told as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
