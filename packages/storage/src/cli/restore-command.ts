import type { Command } from 'commander';
import { openArchive, restoreArchive, restoreEnds } from '../archive/restore-storage';
import type { CommandContext, CommandOutcome, RunCommand } from './command-context';
import { addWriteOptions, outcomeOf, writing, type WriteOptions } from './copy-command';
import { withEnd, type EndOptions } from './end-options';
import { refuseToken, ResumeFile } from './resume-file';
import { placeOfEnd, readEnd } from './storage-end';

type Options = WriteOptions & EndOptions;

export function addRestoreCommand(program: Command, run: RunCommand): void {
  addWriteOptions(
    program
      .command('restore <file> <to>')
      .summary('copy an archive into a storage')
      .description('Checks all of an archive, and copies it into a storage, which has to be empty.'),
  )
    .option('--key-prefix <text>', 'the keyPrefix of the storage (default: its configuration, or recap:)')
    .option('--all-partitions', 'for an archive that was written with --all-partitions')
    .option('--json', 'write the result as JSON')
    .option('--no-progress', 'show no progress bar')
    .addHelpText(
      'after',
      `
Example:
  recap-storage restore backups/monday.ndjson.gz app.yml#database --only-missing`,
    )
    .action(async (file: string, to: string, options: Options) => {
      await run(options, (context) => restore(file, to, options, context));
    });
}

async function restore(
  file: string,
  to: string,
  options: Options,
  context: CommandContext,
): Promise<CommandOutcome> {
  const end = await readEnd(to, options.keyPrefix, context.environment);
  const archive = await openArchive(file, context.signal);
  const resume = await ResumeFile.read(options.resume);
  const { name, prefix } = placeOfEnd(end, options.allPartitions ?? false);
  // Nothing is made before all that can be known of it is in order.
  await refuseToken(resume, end, restoreEnds(archive, name, prefix));
  return await withEnd(end, options, false, context, async (target) => {
    const result = await writing(options, context, resume, undefined, (common) =>
      restoreArchive(archive, target.backend, { ...common, toPrefix: target.prefix }),
    );
    return outcomeOf('Restored', result, file, target.label);
  });
}
