import { Option, type Command } from 'commander';
import type { CopyOptions, CopyResult } from '../copy/copy-options';
import { copyEnds, copyStorage } from '../copy/copy-storage';
import { errorCode } from '../errors';
import type { CommandContext, CommandOutcome, OutputOptions, RunCommand } from './command-context';
import { noteOthers, totalOf, withEnd } from './end-options';
import { refuseToken, ResumeFile } from './resume-file';
import { placeOfEnd, readEnd } from './storage-end';
import { bytesText, countText, progressDisplay } from './terminal';

/** What copy and restore have in common. */
export interface WriteOptions extends OutputOptions {
  readonly onlyMissing?: boolean;
  readonly overwrite?: boolean;
  readonly skipTooLarge?: boolean;
  readonly verify: boolean;
  readonly resume?: string;
}

interface Options extends WriteOptions {
  readonly fromKeyPrefix?: string;
  readonly toKeyPrefix?: string;
  readonly allPartitions?: boolean;
}

export function addWriteOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--only-missing', 'keep what the target has already, add the rest').conflicts('overwrite'),
    )
    .option('--overwrite', 'replace what the target has under the same keys')
    .option('--skip-too-large', 'leave out what is too large for the target, and list it')
    .option('--no-verify', 'do not read both sides again in the end')
    .option('--resume <file>', 'keep the position in this file, and go on from it when it is there');
}

export function addCopyCommand(program: Command, run: RunCommand): void {
  addWriteOptions(
    program
      .command('copy <from> <to>')
      .summary('copy everything from one storage into another')
      .description(
        'Copies values, lists, expiries and versions, and compares both sides in the end. The target has to be empty unless an option says otherwise.',
      ),
  )
    .option('--from-key-prefix <text>', 'the keyPrefix of the source (default: its configuration, or recap:)')
    .option('--to-key-prefix <text>', 'the keyPrefix of the target (default: its configuration, or recap:)')
    .option('--all-partitions', 'copy partitions under any name, and keep their names as they are')
    .option('--json', 'write the result as JSON')
    .option('--no-progress', 'show no progress bar')
    .addHelpText(
      'after',
      `
Examples:
  recap-storage copy app.yml#database sqlite:backup.db
  recap-storage copy sqlite:.recap/storage.db '$DATABASE_URL' --resume copy.token
  recap-storage copy old.yml#database new.yml#database --overwrite --json`,
    )
    .action(async (from: string, to: string, options: Options) => {
      await run(options, (context) => copy(from, to, options, context));
    });
}

async function copy(
  from: string,
  to: string,
  options: Options,
  context: CommandContext,
): Promise<CommandOutcome> {
  const { allPartitions, fromKeyPrefix, toKeyPrefix } = options;
  const every = allPartitions === undefined ? {} : { allPartitions };
  const fromEnd = await readEnd(from, fromKeyPrefix, context.environment);
  const toEnd = await readEnd(to, toKeyPrefix, context.environment);
  const resume = await ResumeFile.read(options.resume);
  const [old, made] = [
    placeOfEnd(fromEnd, allPartitions ?? false),
    placeOfEnd(toEnd, allPartitions ?? false),
  ];
  await refuseToken(resume, toEnd, copyEnds(old.name, made.name, old.prefix, made.prefix));
  return await withEnd(fromEnd, every, true, context, async (source) => {
    // A target is made only when its source has been read from.
    await noteOthers(source, context);
    const total = await totalOf(source);
    return await withEnd(toEnd, every, false, context, async (target) => {
      const result = await writing(options, context, resume, total, (common) =>
        copyStorage(source.backend, target.backend, {
          ...common,
          fromPrefix: source.prefix,
          toPrefix: target.prefix,
        }),
      );
      return outcomeOf('Copied', result, source.label, target.label);
    });
  });
}

/** Runs what copies, with a progress bar and a file for its token. */
export async function writing(
  options: WriteOptions,
  { streams, signal, note }: CommandContext,
  file: ResumeFile | undefined,
  total: number | undefined,
  write: (common: CopyOptions) => Promise<CopyResult>,
): Promise<CopyResult> {
  const { json = false, progress, onlyMissing, overwrite, skipTooLarge, verify } = options;
  const token = file?.token;
  if (token !== undefined) note(`Going on from ${file!.path}.`);
  const display = progressDisplay(streams, progress && !json, total);
  try {
    const result = await write({
      ...{ verify, signal, ...(token === undefined ? {} : { resumeFrom: token }) },
      existing: overwrite === true ? 'overwrite' : onlyMissing === true ? 'onlyMissing' : 'refuse',
      tooLarge: skipTooLarge === true ? 'leaveOut' : 'refuse',
      onProgress: async ({ phase, items, token: current }) => {
        display.show(PHASES[phase], items);
        await file?.keep(current);
      },
    });
    await file?.remove();
    return result;
  } catch (error) {
    // From a position that was refused nobody goes on.
    if (errorCode(error) === 'ARGUMENT_INVALID') throw error;
    if ((await file?.write()) === true)
      note(`To go on, run the same command again: ${file!.path} says from where.`);
    throw error;
  } finally {
    display.stop();
  }
}

const PHASES = { measure: 'Measuring', copy: 'Copying', verify: 'Verifying' } as const;

export function outcomeOf(verb: string, result: CopyResult, from: string, to: string): CommandOutcome {
  const { values, lists, elements, bytes, kept, expired, tooLarge, leftOut, digest } = result;
  const amount = `${countText(values, 'value')} and ${countText(lists, 'list')} with ${countText(elements, 'element')} (${bytesText(bytes)})`;
  const lines = [`${verb} ${amount} from ${from} to ${to}.`];
  if (kept > 0) lines.push(`Kept ${countText(kept, 'item')} that the target had already.`);
  if (expired > 0) lines.push(`Left out ${countText(expired, 'item')} that expired before.`);
  if (tooLarge > 0) {
    lines.push(`Left out ${countText(tooLarge, 'item')} that are too large for the target:`);
    lines.push(
      ...leftOut.map(({ partition, key }) => `  ${JSON.stringify(partition)} / ${JSON.stringify(key)}`),
    );
  }
  lines.push(
    digest === undefined ? 'Not verified.' : `Both sides were read again and are the same: sha256 ${digest}`,
  );
  return { lines, data: { from, to, ...result } };
}
