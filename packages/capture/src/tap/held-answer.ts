import type { HeaderList } from '../exchange';

/** An answer that the program has given whole, and whose client has not got the end of it. */
export interface HeldAnswer {
  /** Whether nothing of it has gone out, so that a refusal can take its place. */
  readonly isWhole: boolean;
  /** Lets it go out as it is. */
  release(): void;
  /** Answers otherwise, when nothing has gone out yet; else breaks the answer off. */
  refuse(refusal: Refusal): void;
}

/** What is answered in place of the program's answer. */
export interface Refusal {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
}
