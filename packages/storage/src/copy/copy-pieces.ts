import type { Backend } from '../backend';
import { wholeClock, type Clock } from '../clock';
import { BackendSource } from './backend-source';
import { compareSides, type Comparison } from './compare-sides';
import { CopiedSamples, haveSamples, versionsIn } from './copied-samples';
import { CopyTally, MAX_TOLD } from './copy-counts';
import { CopyError } from './copy-error';
import type { CopyOptions, CopyPhase, CopyResult } from './copy-options';
import { fingerprints } from './fingerprints';
import { sizesOf, type Piece } from './piece';
import type { PieceSource } from './piece-source';
import { PieceWriter } from './piece-writer';
import { invalidToken, readToken, writeToken, type ResumePoint } from './resume-token';
import { tooLarge } from './too-large';

export interface CopyPiecesOptions extends CopyOptions {
  /** Begins the partitions of the target. */
  readonly prefix: string;
  /** Tells this copy from others. */
  readonly ends: readonly string[];
}

/** Copies whatever a source gives into a backend, and compares. */
export async function copyPieces(
  source: PieceSource,
  target: Backend,
  options: CopyPiecesOptions,
): Promise<CopyResult> {
  return await new Copying(source, target, options).run();
}

class Copying {
  readonly #source: PieceSource;
  readonly #target: Backend;
  readonly #options: CopyPiecesOptions;
  readonly #clock: Clock;
  readonly #existing: NonNullable<CopyOptions['existing']>;
  readonly #tally: CopyTally;
  readonly #resumed: ResumePoint | undefined;
  readonly #samples: CopiedSamples;
  #token: string | undefined;

  constructor(source: PieceSource, target: Backend, options: CopyPiecesOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#clock = wholeClock(options.clock);
    this.#existing = options.existing ?? 'refuse';
    this.#token = options.resumeFrom;
    this.#resumed = this.#token === undefined ? undefined : readToken(options.ends, this.#token);
    this.#tally = new CopyTally(this.#resumed?.counts);
    this.#samples = new CopiedSamples(this.#resumed?.samples);
  }

  async run(): Promise<CopyResult> {
    const { verify = true, signal } = this.#options;
    signal?.throwIfAborted();
    if (this.#resumed === undefined) {
      if (this.#existing === 'refuse') await this.#refuseUnlessEmpty();
      await this.#measure();
    } else await this.#refuseUnlessBegun(this.#resumed);
    await this.#copy();
    const comparison = verify ? await this.#compare() : undefined;
    const { counts, tooLarge: leftOut } = this.#tally;
    return { ...counts, leftOut, ...(comparison === undefined ? {} : { digest: comparison.digest }) };
  }

  async #refuseUnlessEmpty(): Promise<void> {
    for await (const { partition, key } of this.#ofTarget().read()) {
      throw new CopyError(
        'TARGET_NOT_EMPTY',
        `The ${this.#target.name} backend that was to be copied into holds something already. Empty it, go on from a token (resumeFrom), or say what becomes of it (existing: 'onlyMissing' or 'overwrite').`,
        [{ partition, key, kind: 'extra' }],
      );
    }
  }

  /** What the ends are called does not tell them from others of their kind; what they hold does. */
  async #refuseUnlessBegun({ samples }: ResumePoint): Promise<void> {
    const inTarget = versionsIn(this.#target, this.#options.prefix);
    const inSource = this.#source.findVersion;
    if (await haveSamples(samples, inSource, inTarget, this.#clock.now())) return;
    throw invalidToken('is of another copy, or both sides have changed too much since');
  }

  /** Tells before anything is written what will not fit. */
  async #measure(): Promise<void> {
    const limit = this.#target.capabilities.maxValueBytes;
    if (limit >= this.#source.maxValueBytes || this.#options.tooLarge === 'leaveOut') return;
    const found = new CopyTally();
    let last: Piece | undefined;
    let items = 0;
    for await (const piece of this.#source.read()) {
      const isSame = last?.partition === piece.partition && last.key === piece.key;
      if (!isSame) items += 1;
      if (sizesOf(piece).some((size) => size > limit)) {
        if (!isSame || last === undefined) found.addTooLarge(piece);
        last = piece;
      }
      await this.#progress('measure', items);
    }
    const { tooLarge: count } = found.counts;
    if (count > 0) throw tooLarge(found.tooLarge, count, this.#target);
  }

  async #copy(): Promise<void> {
    const { prefix, ends, tooLarge: policy } = this.#options;
    const writer = new PieceWriter({
      ...{ target: this.#target, prefix, existing: this.#existing, clock: this.#clock, tally: this.#tally },
      samples: this.#samples,
      leavesOutTooLarge: policy === 'leaveOut',
    });
    const tell = async (): Promise<void> => {
      const { counts } = this.#tally;
      if (writer.position !== undefined)
        this.#token = writeToken(ends, { position: writer.position, counts, samples: this.#samples.all });
      await this.#progress(
        'copy',
        counts.values + counts.lists + counts.kept + counts.expired + counts.tooLarge,
      );
    };
    for await (const piece of this.#source.read(this.#resumed?.position)) {
      this.#options.signal?.throwIfAborted();
      if (await writer.add(piece)) await tell();
    }
    await writer.finish();
    await tell();
  }

  async #compare(): Promise<Comparison> {
    let items = 0;
    const comparison = await compareSides(
      fingerprints(this.#source.read()),
      fingerprints(this.#ofTarget().read()),
      {
        ...{ existing: this.#existing, clock: this.#clock },
        maxValueBytes: this.#target.capabilities.maxValueBytes,
        onItem: () => this.#progress('verify', ++items),
      },
    );
    const { differences, differing } = comparison;
    if (differing === 0) return comparison;
    const shown = differing > MAX_TOLD ? ` (the first ${MAX_TOLD} are in "differences")` : '';
    throw new CopyError(
      'COPY_DIFFERS',
      `${differing} items are not the same on both sides after the copy${shown}. Where somebody wrote meanwhile, let nobody write and copy again with existing: 'overwrite'.`,
      differences,
    );
  }

  #ofTarget(): BackendSource {
    return new BackendSource(this.#target, this.#options.prefix);
  }

  async #progress(phase: CopyPhase, items: number): Promise<void> {
    const { onProgress, signal } = this.#options;
    signal?.throwIfAborted();
    if (onProgress === undefined) return;
    const token = this.#token === undefined ? {} : { token: this.#token };
    await onProgress({ phase, items, counts: this.#tally.counts, ...token });
  }
}
