/** The steps of recording on the program's thread at which tests let Recap fail. */
export const FAULT_POINTS = [
  'mount',
  'begin',
  'tap',
  'requestChunk',
  'responseChunk',
  'headers',
  'error',
  'close',
  'finish',
  'route',
  'endpoint',
  'announce',
  'trustedProxies',
  'owner',
  'sessionGroup',
  'metadata',
  'skip',
  'sample',
  'build',
  'queue',
  'prepare',
  'append',
  'stored',
  'settle',
  'open',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

let armed: ((point: string) => void) | undefined;

/** For tests: `fault` is called at every point from now on, and may throw; `undefined` ends that. */
export function armFaultPoints(fault: ((point: string) => void) | undefined): void {
  armed = fault;
}

/** A place where tests let Recap fail. Costs one comparison. @param point one of {@link FAULT_POINTS} */
export function faultPoint(point: string): void {
  if (armed !== undefined) armed(point);
}
