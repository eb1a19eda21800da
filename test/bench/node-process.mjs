import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Unavailable } from './recorders/unavailable.mjs';

const LIMIT_MS = 120_000;
const RELEASE_LIMIT_MS = 20_000;
const running = new Set();
let isOver = false;

/** Ends every process that is still there, lets none begin, and makes whoever waits for one of them fail. */
export function endProcesses() {
  isOver = true;
  for (const child of running) child.kill('SIGKILL');
}

/** A Node program beside this one that answers what it is asked, one question at a time. */
export class NodeProcess {
  #child;
  #name;
  #ended;
  /** How it ended, once it has. */
  ending;

  /**
   * @param {string[]} prefix a command that runs it, such as taskset
   * @param {string} path of the program, from this folder
   * @param {{ environment?: Record<string, string>, nodeArguments?: string[] }} [more]
   */
  constructor(name, prefix, path, argument, { environment = {}, nodeArguments = [] } = {}) {
    if (isOver) throw new Error(`${name}: interrupted`);
    this.#name = name;
    const file = fileURLToPath(new URL(path, import.meta.url));
    const node = [process.execPath, ...nodeArguments, file, JSON.stringify(argument)];
    const [command, ...rest] = [...prefix, ...node];
    this.#child = spawn(command, rest, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...environment },
    });
    running.add(this.#child);
    // Without a listener, a program that cannot be started would end this one.
    this.#child.on('error', () => this.#child.kill('SIGKILL'));
    // `close` does not come after `disconnect()`.
    this.#ended = once(this.#child, 'exit').then(
      ([code, signal]) => this.#forget(`ended with ${code ?? signal}`),
      (error) => this.#forget(error.message),
    );
  }

  ask(question) {
    this.#child.send(question);
    return this.answer();
  }

  /** @throws {Unavailable} when it says so. */
  async answer() {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), LIMIT_MS);
    try {
      const message = await Promise.race([
        once(this.#child, 'message', { signal: limit.signal }).then(([answer]) => answer),
        this.#ended.then((how) => ({ problem: { message: how } })),
      ]);
      if (message.problem === undefined) return message;
      const { code, message: text, stack } = message.problem;
      if (code === 'UNAVAILABLE') throw new Unavailable(text);
      throw new Error(`${this.#name}: ${stack ?? text}`);
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      throw new Error(`${this.#name}: no answer within ${LIMIT_MS / 1000} s`, { cause: error });
    } finally {
      clearTimeout(timer);
      limit.abort();
    }
  }

  /** Lets it end by itself, which it does once it has nobody to answer. */
  async release() {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), RELEASE_LIMIT_MS);
    this.#child.disconnect();
    await this.#ended;
    clearTimeout(timer);
  }

  async stop() {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #forget(how) {
    running.delete(this.#child);
    this.ending = how;
    return how;
  }
}
