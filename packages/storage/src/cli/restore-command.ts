import type { Command } from 'commander';
import { restoreStorage } from '../archive/restore-storage';
import type { CommandContext, CommandOutcome, RunCommand } from './command-context';
import { addWriteOptions, outcomeOf, writing, type WriteOptions } from './copy-command';
import { withEnd, type EndOptions } from './end-options';

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
  return await withEnd(to, options, false, context, async (target) => {
    const result = await writing(options, context, undefined, (common) =>
      restoreStorage(file, target.backend, { ...common, toPrefix: target.prefix }),
    );
    return outcomeOf('Restored', result, file, target.label);
  });
}
