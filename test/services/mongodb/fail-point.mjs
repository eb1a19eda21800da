import { badValue, ServerError } from './server-error.mjs';

/**
 * What a test has the next commands fail with, as it would have a genuine server do so.
 *
 * @see https://github.com/mongodb/mongo/wiki/The-%22failCommand%22-fail-point
 */
export class FailPoint {
  /** How long the answer to the last command is held back. */
  delayMs = 0;
  #left = 0;
  #data = {};

  configure({ configureFailPoint, mode, data = {} }) {
    if (configureFailPoint !== 'failCommand') throw badValue(`There is no fail point ${configureFailPoint}.`);
    this.#left = mode === 'off' ? 0 : mode === 'alwaysOn' ? Infinity : mode.times;
    this.#data = data;
  }

  /** What `run` answers, or what it is made to: an error instead, or a concern that was not met besides. */
  around(name, run) {
    const { failCommands = [], errorCode, errorLabels, writeConcernError, blockTimeMS = 0 } = this.#data;
    this.delayMs = 0;
    if (this.#left === 0 || !failCommands.includes(name)) return run();
    this.#left -= 1;
    this.delayMs = blockTimeMS;
    const labels = errorLabels === undefined ? {} : { errorLabels };
    if (errorCode !== undefined)
      throw new ServerError(errorCode, `Error${errorCode}`, 'The fail point lets it fail.', labels);
    return { ...run(), ...labels, ...(writeConcernError !== undefined && { writeConcernError }) };
  }
}
