import * as zlib from 'node:zlib';

/** What a stream of Node's zlib keeps to itself. */
interface Internals {
  readonly _handle?: Handle | null;
  /** Room that is left for output, input that is left. */
  readonly _writeState?: Uint32Array;
}

interface Handle {
  writeSync(
    flush: number,
    input: Buffer,
    inputAt: number,
    inputLength: number,
    output: Buffer,
    outputAt: number,
    outputLength: number,
  ): void;
}

/** Releases of which this is known. What is called here is no promise of Node's, and ends the process where it is called otherwise. */
const KNOWN_MAJORS: ReadonlySet<string> = new Set(['20', '22', '24']);

/** Room for what does not get smaller. */
const SPARE_BYTES = 1_024;

/**
 * Deflates at once with one stream that is used again and again: making one takes half as long as deflating a body of
 * 1 KiB. Node has no way to do so, hence the parts of its streams are used that its own `deflateSync` uses, and only
 * in releases that are known, and where a sample comes out as it should.
 *
 * @param maxBytes of a body
 * @returns what deflates, and answers `undefined` where it could not; `undefined` where this Node does it another way
 */
export function reusedDeflate(
  options: zlib.ZlibOptions,
  maxBytes: number,
  create: (options: zlib.ZlibOptions) => zlib.Deflate = zlib.createDeflate,
): ((bytes: Buffer) => Buffer | undefined) | undefined {
  const [major = ''] = process.versions.node.split('.');
  // Others that call themselves a Node have streams of their own.
  if (!KNOWN_MAJORS.has(major) || 'bun' in process.versions) return undefined;
  const output = Buffer.allocUnsafeSlow(maxBytes + SPARE_BYTES);
  let stream: zlib.Deflate | undefined = create(options);
  // What fails is told by what is left, and the stream is not used again.
  stream.on('error', () => (stream = undefined));
  const deflate = (bytes: Buffer): Buffer | undefined => {
    const { _handle: handle, _writeState: left } = (stream ?? {}) as Internals;
    if (stream === undefined || !handle || left === undefined || bytes.length > maxBytes) return undefined;
    try {
      stream.reset();
      handle.writeSync(zlib.constants.Z_FINISH, bytes, 0, bytes.length, output, 0, output.length);
    } catch {
      stream = undefined;
      return undefined;
    }
    const [room = 0, unread = 1] = left;
    if (room === 0 || unread !== 0) {
      stream = undefined;
      return undefined;
    }
    return Buffer.from(output.subarray(0, output.length - room));
  };
  return isDeflate(deflate) ? deflate : undefined;
}

function isDeflate(deflate: (bytes: Buffer) => Buffer | undefined): boolean {
  try {
    // Twice: nothing of the first may be left.
    return ['first sample', 'second'].every((text) => {
      const deflated = deflate(Buffer.from(text.repeat(8)));
      return deflated !== undefined && zlib.inflateSync(deflated).toString() === text.repeat(8);
    });
  } catch {
    return false;
  }
}
