import type { Command } from 'commander';
import type { Backend } from '../backend';
import type { CommandContext, CommandOutcome, OutputOptions, RunCommand } from './command-context';
import { withSource, type EndOptions } from './end-options';
import { bytesText, countText } from './terminal';

type Options = OutputOptions & EndOptions;

/** Names that are counted at most. */
const MOST_PARTITIONS = 10_000;

export function addStatsCommand(program: Command, run: RunCommand): void {
  program
    .command('stats <storage>')
    .summary('tell how much a storage holds, and what it can do')
    .description('Counts what is visible now, up to 10,000 items, and tells what the storage can do.')
    .option('--key-prefix <text>', 'the keyPrefix of the storage (default: its configuration, or recap:)')
    .option('--json', 'write the result as JSON')
    .addHelpText('after', '\nExample:\n  recap-storage stats app.yml#cache --json')
    .action(async (from: string, options: Options) => {
      await run({ ...options, progress: false }, (context) => stats(from, options, context));
    });
}

async function stats(from: string, options: Options, context: CommandContext): Promise<CommandOutcome> {
  return await withSource(from, options, context, async ({ backend, label, prefix }) => {
    const { items, isCapped, bytes } = await backend.stats();
    const partitions = await countPartitions(backend, prefix);
    const { capabilities } = backend;
    const can = (['transact', 'query', 'publish'] as const).filter((name) => capabilities[name]);
    const lines = [
      `${label}: ${isCapped ? 'more than ' : ''}${countText(items, 'item')} in all, ${countText(partitions, 'partition')}${prefix === '' ? '' : ` under ${JSON.stringify(prefix)}`}`,
      ...(bytes === undefined ? [] : [`They take ${bytesText(bytes)}.`]),
      `Largest value: ${bytesText(capabilities.maxValueBytes)}. Beyond the contract it can: ${can.join(', ') || 'nothing'}.`,
    ];
    const data = { storage: label, items, isCapped, partitions, capabilities };
    return { lines, data: bytes === undefined ? data : { ...data, bytes } };
  });
}

async function countPartitions(backend: Backend, prefix: string): Promise<number> {
  let count = 0;
  let after: string | undefined;
  do {
    const page = await backend.partitions(prefix, {
      limit: 1_000,
      ...(after === undefined ? {} : { after }),
    });
    count += page.items.length;
    after = page.next;
  } while (after !== undefined && count < MOST_PARTITIONS);
  return count;
}
