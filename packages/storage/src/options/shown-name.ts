/** Whether a name that was given may be shown: where a colon or a space was forgotten, a secret has become one. */
export function isWord(name: string): boolean {
  return /^[\w-]{1,40}$/.test(name);
}
