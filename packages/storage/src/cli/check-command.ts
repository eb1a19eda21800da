import type { Command } from 'commander';
import { checkStorage, type Damage } from '../copy/check-storage';
import type { CommandContext, CommandOutcome, OutputOptions, RunCommand } from './command-context';
import { noteOthers, totalOf, withSource, type EndOptions } from './end-options';
import { bytesText, countText, progressDisplay } from './terminal';

type Options = OutputOptions & EndOptions;

export function addCheckCommand(program: Command, run: RunCommand): void {
  program
    .command('check <storage>')
    .summary('read everything, and tell what is damaged')
    .description(
      'Reads everything. Exit code 1 when something is damaged. A file storage puts backups in the place of damaged files as it is opened; that is told, and counts.',
    )
    .option('--key-prefix <text>', 'the keyPrefix of the storage (default: its configuration, or recap:)')
    .option('--all-partitions', 'check partitions under any name')
    .option('--json', 'write the result as JSON')
    .option('--no-progress', 'show no progress bar')
    .addHelpText('after', '\nExample:\n  recap-storage check sqlite:.recap/storage.db')
    .action(async (from: string, options: Options) => {
      await run(options, (context) => check(from, options, context));
    });
}

async function check(from: string, options: Options, context: CommandContext): Promise<CommandOutcome> {
  return await withSource(from, options, context, async (source) => {
    await noteOthers(source, context);
    const { json = false, progress } = options;
    const display = progressDisplay(context.streams, progress && !json, await totalOf(source));
    try {
      const result = await checkStorage(source.backend, {
        ...{ prefix: source.prefix, signal: context.signal },
        onProgress: ({ items }) => display.show('Reading', items),
      });
      const { values, lists, elements, bytes, damaged, damage, digest } = result;
      const amount = `${countText(values, 'value')} and ${countText(lists, 'list')} with ${countText(elements, 'element')} (${bytesText(bytes)})`;
      const lines = [`Read ${amount} of ${source.label}: sha256 ${digest}`];
      if (damaged > 0) lines.push(`${countText(damaged, 'item')} cannot be read:`, ...damage.map(damageLine));
      const { damagedFiles } = source;
      if (damagedFiles.length > 0)
        lines.push(
          `${countText(damagedFiles.length, 'file')} damaged:`,
          ...damagedFiles.map((file) => `  ${file}`),
        );
      const told = damage.map(({ error, ...where }) => ({ ...where, message: error.message }));
      const data = { storage: source.label, ...result, damage: told, damagedFiles };
      return { lines, data, hasFailed: damaged + damagedFiles.length > 0 };
    } finally {
      display.stop();
    }
  });
}

function damageLine({ partition, key, element, error }: Damage): string {
  const at = element === undefined ? '' : ` from element ${element} on`;
  return `  ${JSON.stringify(partition)} / ${JSON.stringify(key)}${at}: ${error.message}`;
}
