/** Name and message of anything that was thrown. Reads each once, and never throws itself. */
export function describeError(thrown: unknown): { readonly name: string; readonly message: string } {
  try {
    if (typeof thrown !== 'object' || thrown === null) return { name: 'NonError', message: String(thrown) };
    const { name, message } = thrown as { readonly name?: unknown; readonly message?: unknown };
    return {
      name: typeof name === 'string' ? name : 'Error',
      message: typeof message === 'string' ? message : '',
    };
  } catch {
    return { name: 'Error', message: '[Unreadable]' };
  }
}
