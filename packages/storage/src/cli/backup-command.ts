import type { Command } from 'commander';
import { backupStorage } from '../archive/backup-storage';
import type { CommandContext, CommandOutcome, OutputOptions, RunCommand } from './command-context';
import { noteOthers, totalOf, withSource, type EndOptions } from './end-options';
import { bytesText, countText, progressDisplay } from './terminal';

interface Options extends OutputOptions, EndOptions {
  readonly overwrite?: boolean;
}

export function addBackupCommand(program: Command, run: RunCommand): void {
  program
    .command('backup <from> <file>')
    .summary('write everything to an archive')
    .description(
      'Writes everything to a checksummed archive of JSON lines that only you can read; compressed when its name ends with .gz.',
    )
    .option('--overwrite', 'replace the archive when it is there')
    .option('--key-prefix <text>', 'the keyPrefix of the storage (default: its configuration, or recap:)')
    .option('--all-partitions', 'take partitions under any name')
    .option('--json', 'write the result as JSON')
    .option('--no-progress', 'show no progress bar')
    .addHelpText(
      'after',
      `
Examples:
  recap-storage backup app.yml#database backups/monday.ndjson.gz
  recap-storage backup '$REDIS_URL' cache.ndjson --json`,
    )
    .action(async (from: string, file: string, options: Options) => {
      await run(options, (context) => backup(from, file, options, context));
    });
}

async function backup(
  from: string,
  file: string,
  options: Options,
  context: CommandContext,
): Promise<CommandOutcome> {
  return await withSource(from, options, context, async (source) => {
    await noteOthers(source, context);
    const { json = false, progress, overwrite = false } = options;
    const display = progressDisplay(context.streams, progress && !json, await totalOf(source));
    try {
      const result = await backupStorage(source.backend, file, {
        ...{ overwrite, fromPrefix: source.prefix, signal: context.signal },
        onProgress: ({ phase, items }) => display.show(phase === 'copy' ? 'Writing' : 'Verifying', items),
      });
      const { values, lists, elements, bytes, digest } = result;
      const amount = `${countText(values, 'value')} and ${countText(lists, 'list')} with ${countText(elements, 'element')} (${bytesText(bytes)})`;
      const lines = [
        `Wrote ${amount} from ${source.label} to ${file}.`,
        `It was read again and is whole: sha256 ${digest}`,
      ];
      return { lines, data: { from: source.label, file, ...result } };
    } finally {
      display.stop();
    }
  });
}
