const IGNORED = Symbol.for('recap.ignore');

/** Marks a Node request, so that the recording middleware leaves it out wherever it is mounted. */
export function ignoreRequest(request: object): void {
  Object.defineProperty(request, IGNORED, { value: true, configurable: true, enumerable: false });
}
