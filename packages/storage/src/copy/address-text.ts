import type { Address } from '../backend';

const MOST = 100;

/** An address for messages: any text, on one line, of bounded length. */
export function addressText({ partition, key }: Address): string {
  return `${quoted(partition)} / ${quoted(key)}`;
}

function quoted(name: string): string {
  return JSON.stringify(name.length > MOST ? `${name.slice(0, MOST)}…` : name);
}
