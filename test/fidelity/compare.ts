import { describeText } from './describe-value';
import type { Observation } from './run-case';

/** Where two runs differ first, in each thing that was watched; empty when they agree. */
export function differences(bare: Observation, recorded: Observation): string[] {
  const found: string[] = [];
  const compare = (what: string, left: readonly string[], right: readonly string[]): void => {
    for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
      if (left[index] === right[index]) continue;
      found.push(
        `${what}, line ${String(index + 1)}:\n  bare:     ${show(left[index])}\n  recorded: ${show(right[index])}`,
      );
      return;
    }
  };
  compare('the log', bare.log, recorded.log);
  compare('the log of the client', bare.clientLog, recorded.clientLog);
  compare('what the clients received', bare.received, recorded.received);
  for (let index = 0; index < Math.max(bare.sent.length, recorded.sent.length); index += 1) {
    compare(`what connection ${String(index + 1)} sent`, bare.sent[index] ?? [], recorded.sent[index] ?? []);
  }
  return found;
}

function show(line: string | undefined): string {
  if (line === undefined) return '(nothing)';
  return line.length < 2_000 ? line : describeText(line);
}
