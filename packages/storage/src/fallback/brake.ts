/** Writes that nobody waits for: a burst, as there always is. */
const FREE = 50;

/**
 * Lets writes through half as fast as those before them are replayed. What takes over may be ten times as quick as the
 * backend, and replaying would never catch up with it.
 */
export class Brake {
  #room = FREE;
  #waiting: (() => void)[] = [];

  async pass(): Promise<void> {
    if (this.#room >= 1) this.#room -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  noteReplayed(count: number): void {
    this.#room += count / 2;
    const through = this.#waiting.splice(0, Math.floor(this.#room));
    this.#room = Math.min(this.#room - through.length, FREE);
    for (const resolve of through) resolve();
  }

  release(): void {
    this.#room = Infinity;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
