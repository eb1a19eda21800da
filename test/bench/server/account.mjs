import { existsSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;
const hasSchedstat = existsSync(SCHEDSTAT);
const RESOLUTION_MS = 5;

/** What this thread alone has worked; `NaN` where the kernel does not say. */
function mainThreadMicros() {
  return hasSchedstat ? Number(readFileSync(SCHEDSTAT, 'latin1').split(' ')[0]) / 1000 : NaN;
}

function processMicros() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What the program used from `open()` on, and how many requests came and were answered in that time. */
export class Account {
  arrived = 0;
  answered = 0;
  #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #start;

  open() {
    this.#start = { answered: this.answered, main: mainThreadMicros(), process: processMicros() };
    this.#delay.reset();
    this.#delay.enable();
  }

  /** To be read once what was begun has been stored, so that work put off counts too. */
  read() {
    this.#delay.disable();
    const measured = this.answered - this.#start.answered;
    return {
      measured,
      mainMicros: (mainThreadMicros() - this.#start.main) / measured,
      cpuMicros: (processMicros() - this.#start.process) / measured,
      delayP99Ms: Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION_MS),
      peakMib: process.resourceUsage().maxRSS / 1024,
    };
  }
}
