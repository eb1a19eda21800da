import { Presets, SingleBar } from 'cli-progress';

/** What the commands write to. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** How far something is; shown only to people. */
export interface ProgressDisplay {
  show(phase: string, items: number): void;
  stop(): void;
}

/** @param total when it is known */
export function progressDisplay(
  { stderr }: Streams,
  isShown: boolean,
  total: number | undefined,
): ProgressDisplay {
  if (!isShown || stderr.isTTY !== true) return { show: () => undefined, stop: () => undefined };
  const format =
    total === undefined ? '{phase} {value} items' : '{phase} [{bar}] {percentage}% {value}/{total} items';
  const bar = new SingleBar(
    { format, stream: stderr, clearOnComplete: true, hideCursor: true },
    Presets.legacy,
  );
  let current: string | undefined;
  return {
    show: (phase, items) => {
      if (phase !== current) {
        if (current !== undefined) bar.stop();
        bar.start(total ?? 0, 0, { phase });
        current = phase;
      }
      if (total !== undefined && items > total) bar.setTotal(items);
      bar.update(items, { phase });
    },
    stop: () => bar.stop(),
  };
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `3.2 MiB`. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1_024 && unit < UNITS.length - 1) {
    amount /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? amount : amount.toFixed(1)} ${UNITS[unit]!}`;
}

/** `1 value`, `2 values`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
