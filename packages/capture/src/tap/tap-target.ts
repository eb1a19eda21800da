import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@recap/storage';
import type { CapturedBody } from '../exchange';
import type { AnswerInContext } from './answer-in-context';
import type { OpenBudget } from './open-budget';

/** What the taps of one recorder share. */
export interface TapTools {
  readonly clock: Clock;
  readonly budget: OpenBudget;
  /** Told of what goes wrong in the tap itself, which the program must not notice. */
  readonly onFailure: (error: unknown, where: string) => void;
  /** Whether answers are held back, and their listeners told of them. */
  readonly holdsAnswers: boolean;
}

/** The exchange to watch. */
export interface TapTarget {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** See `observeResponse`. */
  readonly sharedPrototypes?: SharedPrototypes | undefined;
  readonly settings: {
    readonly maxBodyBytes: number;
    /** Content types whose bodies are kept although they claim no text, such as `image/*`. */
    readonly contentTypes: readonly string[];
  };
  /** The value that a body parser left, for a tap that came too late to see the bytes. */
  parsedBody(): CapturedBody | undefined;
}

export interface SharedPrototypes {
  readonly request: object;
  readonly response: object;
}

export interface TapListener {
  /** The exchange is over: `finish()` tells all of it. Must not throw. */
  onTapEnd(): void;
  /** The program has given its whole answer, of which `soFar()` tells all, and which waits. Must not throw. */
  onTapAnswered(answer: AnswerInContext): void;
}
