const BARE_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:?\d{2})?$/;
const DAY_MS = 86_400_000;

/**
 * Reads an ISO 8601 date or instant as ms since the epoch; without an offset it is UTC. A bare date is
 * its midnight as a start, and the midnight after it as an end, since ends are exclusive. `undefined`
 * for anything else, a day that does not exist included.
 */
export function parseInstant(text: string, role: 'start' | 'end'): number | undefined {
  const date = BARE_DATE.exec(text);
  if (date !== null) {
    const midnight = utcDay(date);
    return midnight === undefined || role === 'start' ? midnight : midnight + DAY_MS;
  }
  const parts = INSTANT.exec(text);
  if (parts === null) return undefined;
  const midnight = utcDay(parts);
  const [hours, minutes, seconds] = [Number(parts[4]), Number(parts[5]), Number(parts[6] ?? 0)];
  const offset = offsetMs(parts[8]);
  if (midnight === undefined || offset === undefined || hours > 23 || minutes > 59 || seconds > 59) {
    return undefined;
  }
  // Entries have whole milliseconds: both bounds keep their meaning when a finer one is rounded up.
  const milliseconds = Math.ceil(Number((parts[7] ?? '').padEnd(9, '0')) / 1e6);
  return midnight + ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds - offset;
}

function utcDay([, year, month, day]: RegExpExecArray): number | undefined {
  // Not Date.UTC, which takes the years 0 to 99 for those of the last century.
  const midnight = Date.parse(`${year}-${month}-${day}T00:00:00.000Z`);
  if (Number.isNaN(midnight)) return undefined;
  return new Date(midnight).getUTCDate() === Number(day) ? midnight : undefined;
}

function offsetMs(offset: string | undefined): number | undefined {
  if (offset === undefined || offset.toUpperCase() === 'Z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(-2));
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
