/** Resolves after the time, or as soon as it is called off. */
export type Pause = (delayMs: number, calledOff: AbortSignal) => Promise<void>;

export const pause: Pause = (delayMs, calledOff) =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      calledOff.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    calledOff.addEventListener('abort', end);
    if (calledOff.aborted) end();
  });
