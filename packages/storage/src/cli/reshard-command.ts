import { InvalidArgumentError, type Command } from 'commander';
import { reshardFileStorage } from '../backends/file/reshard-file-storage';
import type { CommandContext, CommandOutcome, OutputOptions, RunCommand } from './command-context';
import { readEnd } from './storage-end';
import { countText, progressDisplay } from './terminal';
import { UsageError } from './usage-error';

interface Options extends OutputOptions {
  readonly shards: number;
}

const MOST_SHARDS = 4_096;

export function addReshardCommand(program: Command, run: RunCommand): void {
  program
    .command('reshard <storage>')
    .summary('spread the files of a file storage over another number of folders')
    .description(
      'Moves the files of a file storage, which no program may have open, into another number of folders. Interrupted, it goes on when it is run again, or when the storage is opened.',
    )
    .requiredOption('--shards <count>', `how many folders there shall be, 1 to ${MOST_SHARDS}`, readShards)
    .option('--json', 'write the result as JSON')
    .option('--no-progress', 'show no progress bar')
    .addHelpText('after', '\nExample:\n  recap-storage reshard file:data --shards 64')
    .action(async (storage: string, options: Options) => {
      await run(options, (context) => reshard(storage, options, context));
    });
}

function readShards(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MOST_SHARDS) return count;
  throw new InvalidArgumentError(`It has to be a whole number from 1 to ${MOST_SHARDS}.`);
}

async function reshard(storage: string, options: Options, context: CommandContext): Promise<CommandOutcome> {
  const { half, label } = await readEnd(storage, undefined, context.environment);
  const { backend } = half;
  if (backend.type !== 'file') throw new UsageError(`Only a file storage has shards; this is ${label}.`);
  const { json = false, progress, shards } = options;
  const display = progressDisplay(context.streams, progress && !json, undefined);
  try {
    const result = await reshardFileStorage(backend.path, {
      shardCount: shards,
      fileMode: parseInt(backend.fileMode, 8),
      onMoved: (files) => display.show('Moving', files),
    });
    const { from, to, movedFiles } = result;
    const lines = [
      `Moved ${countText(movedFiles, 'file')} of ${label} from ${countText(from, 'folder')} to ${countText(to, 'folder')}.`,
    ];
    return { lines, data: { storage: label, ...result } };
  } finally {
    display.stop();
  }
}
