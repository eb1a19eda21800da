const WEIGHT = 1 / 16;

/** How often something was so of late. */
export class Odds {
  #share = 1;

  get areGood(): boolean {
    return this.#share > 0.5;
  }

  note(was: boolean): void {
    this.#share += ((was ? 1 : 0) - this.#share) * WEIGHT;
  }
}
