/** Is told what goes through a value while the program uses it. Never throws. */
export interface FlowListener {
  /** @param item a chunk or an element, at the moment at which the program gets it. */
  onItem(item: unknown): void;
  /** The last of it was taken. */
  onComplete(): void;
  /** The program stopped taking, or what it takes from was closed. */
  onAbort(): void;
  onFailure(error: unknown): void;
}
