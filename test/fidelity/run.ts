/** What was seen in one run of a program: the log that bare and recorded programs must agree on. */
export class Run {
  readonly log: string[] = [];
  /** Kept apart: which of two processes is first to note something is chance. */
  readonly clientLog: string[] = [];
  readonly #latches = new Map<string, { readonly promise: Promise<void>; readonly open: () => void }>();

  /** What the run is not over without. */
  readonly held: Promise<unknown>[] = [];

  note(line: string): void {
    this.log.push(line);
  }

  /** Says that something has happened; it stays so. */
  signal(name: string): void {
    this.#latch(name).open();
  }

  /** Resolves when it has happened. */
  when(name: string): Promise<void> {
    return this.#latch(name).promise;
  }

  #latch(name: string): { readonly promise: Promise<void>; readonly open: () => void } {
    const known = this.#latches.get(name);
    if (known !== undefined) return known;
    let open = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    const latch = { promise, open };
    this.#latches.set(name, latch);
    return latch;
  }
}
