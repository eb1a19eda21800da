import { ServerError } from './server-error.mjs';

/**
 * What one transaction sees and has written: a copy of each collection, as it was when the transaction first asked for
 * it. Where a genuine server would let another wait, whoever comes second is refused here.
 */
export class Transaction {
  #forks = new Map();

  /** @returns {Collection} in which this transaction alone reads and writes */
  fork(original) {
    if (!this.#forks.has(original)) this.#forks.set(original, original.fork());
    return this.#forks.get(original);
  }

  /** All of its writes, or none where a document is not what the transaction has seen. */
  commit() {
    for (const [original, fork] of this.#forks)
      for (const { id, before } of fork.written())
        if (original.byId(id) !== before)
          throw new ServerError(112, 'WriteConflict', 'Another has written the same document.', {
            errorLabels: ['TransientTransactionError'],
          });
    for (const [original, fork] of this.#forks) original.take(fork.written());
  }
}

/** The transactions and retryable writes of each session. */
export class Sessions {
  #transactions = new Map();
  #answers = new Map();
  /** The last transaction of each session that was committed: to commit it once more changes nothing. */
  #committed = new Map();

  /** Runs a command, in its transaction if it has one; a write that comes again gets the answer that it had. */
  run(command, runIn) {
    const { lsid, txnNumber, autocommit, startTransaction } = command;
    if (txnNumber === undefined) return runIn(undefined);
    const id = lsid.id.toString('hex');
    if (autocommit !== false) {
      const known = this.#answers.get(id);
      if (known?.txnNumber === txnNumber) return known.answer;
      const answer = runIn(undefined);
      this.#answers.set(id, { txnNumber, answer });
      return answer;
    }
    if (startTransaction) this.#transactions.set(id, { txnNumber, transaction: new Transaction() });
    const current = this.#transactions.get(id);
    if (command.commitTransaction && this.#committed.get(id) === txnNumber) return {};
    if (current?.txnNumber !== txnNumber)
      throw new ServerError(251, 'NoSuchTransaction', 'The transaction is over.', {
        errorLabels: ['TransientTransactionError'],
      });
    const [name] = Object.keys(command);
    const isEnd = name === 'commitTransaction' || name === 'abortTransaction';
    if (isEnd) this.#transactions.delete(id);
    if (name === 'commitTransaction') {
      current.transaction.commit();
      this.#committed.set(id, txnNumber);
    }
    if (isEnd) return {};
    try {
      const answer = runIn(current.transaction);
      if (answer.writeErrors !== undefined) this.#transactions.delete(id);
      return answer;
    } catch (error) {
      this.#transactions.delete(id);
      throw error;
    }
  }
}
