import { Command, CommanderError } from 'commander';
import { CopyError } from '../copy/copy-error';
import { errorCode } from '../errors';
import { addBackupCommand } from './backup-command';
import { addCheckCommand } from './check-command';
import type { CommandContext, RunCommand } from './command-context';
import { addCopyCommand } from './copy-command';
import { addReshardCommand } from './reshard-command';
import { addRestoreCommand } from './restore-command';
import { addStatsCommand } from './stats-command';
import type { Streams } from './terminal';
import { UsageError } from './usage-error';

export interface CliOptions {
  /** As a shell gives them, without the program's name. */
  readonly args: readonly string[];
  readonly version: string;
  readonly streams: Streams;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Resolves to the exit code: 0, 1 when something failed, 2 when it was not understood. */
export async function runCli({ args, version, streams, environment, signal }: CliOptions): Promise<number> {
  let exitCode = 0;
  const print = (text: string): void => void streams.stdout.write(`${text}\n`);
  const note = (text: string): void => void streams.stderr.write(`${text}\n`);
  const context: CommandContext = { streams, environment, signal, note };
  const run: RunCommand = async ({ json = false }, command) => {
    try {
      const { lines, data, hasFailed = false } = await command(context);
      print(json ? JSON.stringify({ ok: !hasFailed, ...data }) : lines.join('\n'));
      if (hasFailed) exitCode = 1;
    } catch (error) {
      exitCode = error instanceof UsageError || errorCode(error) === 'CONFIG_INVALID' ? 2 : 1;
      if (json) print(JSON.stringify({ ok: false, error: errorData(error) }));
      else note(`recap-storage: ${errorText(error)}`);
    }
  };
  try {
    await describeProgram(version, streams, run).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // It has told already; help and version are asked for.
    return error.exitCode === 0 ? 0 : 2;
  }
  return exitCode;
}

function describeProgram(version: string, { stdout, stderr }: Streams, run: RunCommand): Command {
  const program = new Command('recap-storage')
    .description('Copies, backs up, restores, checks and rearranges what @recap/storage keeps.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(add --help for more)')
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .addHelpText(
      'after',
      `
A storage is one of:
  app.yml#database            a role of a configuration file (.yml, .yaml, .json)
  postgres://user@host/name   also redis://… and mongodb://…
  dynamodb:table?region=…     also with endpoint=…
  sqlite:path, file:path
  '$DATABASE_URL'             a variable; quoted, no list of processes shows its password

Exit codes: 0 done, 1 failed or something is damaged, 2 not understood.`,
    );
  addCopyCommand(program, run);
  addBackupCommand(program, run);
  addRestoreCommand(program, run);
  addCheckCommand(program, run);
  addStatsCommand(program, run);
  addReshardCommand(program, run);
  return program;
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isOfTheSystem(error)) return `A file or folder cannot be used: ${error.message}`;
  const cause = errorCode(error.cause);
  const hint = HINTS.get(errorCode(error) ?? '');
  const isTold = cause === undefined || error.message.includes(cause);
  return `${error.message}${isTold ? '' : ` (${cause})`}${hint === undefined ? '' : `\n${hint}`}`;
}

/** Such as a folder that is not there, or a disk that is full. */
function isOfTheSystem(error: Error): boolean {
  return 'syscall' in error;
}

/** Messages name the options of functions; these are the same on the command line. */
const HINTS: ReadonlyMap<string, string> = new Map([
  [
    'TARGET_NOT_EMPTY',
    'On the command line: --overwrite; for copy and restore also --only-missing, or --resume with its file.',
  ],
  ['VALUE_TOO_LARGE', 'On the command line: --skip-too-large, or maxValueBytes in a configuration file.'],
  ['COPY_DIFFERS', 'On the command line: --overwrite.'],
]);

function errorData(error: unknown): object {
  const isSystem = error instanceof Error && isOfTheSystem(error);
  const known = isSystem ? 'UNAVAILABLE' : errorCode(error);
  const code = known ?? (error instanceof UsageError ? 'USAGE' : undefined);
  return {
    ...(code === undefined ? {} : { code }),
    message: errorText(error),
    ...(error instanceof CopyError ? { differences: error.differences } : {}),
  };
}
