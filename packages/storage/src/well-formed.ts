/** Whether UTF-8 can hold it: no surrogate stands alone. */
export function isWellFormed(text: string): boolean {
  // Every Node we run on has it; the library that TypeScript compiles against is older.
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}
