import type { Streams } from './terminal';

/** What every command gets besides its arguments. */
export interface CommandContext {
  readonly streams: Streams;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
  /** Something to know that is no result; on the error stream, so that it spoils no JSON. */
  readonly note: (text: string) => void;
}

/** What a command found or did. */
export interface CommandOutcome {
  /** For people. */
  readonly lines: readonly string[];
  /** For programs. */
  readonly data: object;
  /** Whether it came to its end and found something wrong. */
  readonly hasFailed?: boolean;
}

/** Options that every command has. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly progress: boolean;
}

/** Registers an action, and looks after what it gives or throws. */
export type RunCommand = (
  options: OutputOptions,
  command: (context: CommandContext) => Promise<CommandOutcome>,
) => Promise<void>;
