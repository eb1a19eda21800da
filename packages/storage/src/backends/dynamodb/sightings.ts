interface Sighting {
  readonly since: number;
  round: number;
}

/** How long something is looked at before it is taken for left behind. */
const OLD_MS = 60 * 60_000;
/** What is not remembered is seen again in the next round, when there is room. */
const MAX_REMEMBERED = 10_000;

/**
 * For how long things have been seen, in rounds over all of them, on this process's clock that only goes forward: what
 * another process wrote of its clock may be hours off, and either clock may jump.
 */
export class Sightings {
  readonly #sightings = new Map<string, Sighting>();
  #round = 0;

  /** Whether it was first seen an hour ago. Otherwise it is seen from now on. */
  isOld(name: string): boolean {
    const known = this.#sightings.get(name);
    if (known !== undefined) {
      known.round = this.#round;
      return performance.now() - known.since >= OLD_MS;
    }
    if (this.#sightings.size < MAX_REMEMBERED)
      this.#sightings.set(name, { since: performance.now(), round: this.#round });
    return false;
  }

  /** All that there is has been looked at: what was not seen is gone. */
  endRound(): void {
    for (const [name, { round }] of this.#sightings) if (round < this.#round) this.#sightings.delete(name);
    this.#round += 1;
  }
}
