import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OpenExchange } from '../../src/recorder/open-exchange';
import { SpooledAnswers } from '../../src/recorder/spooled-answers';
import { AnswerInContext } from '../../src/tap/answer-in-context';

const exchange = (): OpenExchange => ({}) as OpenExchange;

function rig(most = Infinity) {
  const events: string[] = [];
  const failures: unknown[] = [];
  const answers = new SpooledAnswers(
    (waiting) => {
      const count = Math.min(most, waiting.size);
      events.push(`spool ${count}`);
      return count;
    },
    (error) => failures.push(error),
  );
  const answer = (name: string, release?: () => void) =>
    new AnswerInContext({
      isWhole: true,
      release: () => {
        events.push(`release ${name}`);
        release?.();
      },
      refuse: () => undefined,
    });
  return { answers, answer, events, failures };
}

describe('SpooledAnswers', () => {
  it('spools at the end of the turn what was answered in it, and lets the answers out then, in their order', async () => {
    const { answers, answer, events } = rig();
    answers.hold(exchange(), answer('a'));
    answers.hold(exchange(), answer('b'));
    expect(events).toEqual([]);
    await nextTurn();
    expect(events).toEqual(['spool 2', 'release a', 'release b']);
    answers.hold(exchange(), answer('c'));
    await nextTurn();
    expect(events.slice(3)).toEqual(['spool 1', 'release c']);
  });

  it('does so by the true end of the turn, whatever clock a test of the program has put in its place', async () => {
    const { answers, answer, events } = rig();
    const trueImmediate = setImmediate;
    mock.timers.enable({ apis: ['setImmediate'] });
    try {
      answers.hold(exchange(), answer('a'));
      await new Promise((resolve) => {
        trueImmediate(resolve);
      });
    } finally {
      mock.timers.reset();
    }
    expect(events).toEqual(['spool 1', 'release a']);
  });

  it('leaves to the next turns what this one has no time for, and to none when asked to do it at once', async () => {
    const { answers, answer, events } = rig(1);
    const over = exchange();
    answers.hold(exchange(), answer('a'));
    answers.hold(over, answer('b'));
    answers.hold(exchange(), answer('c'));
    answers.hold(exchange(), answer('d'));
    await nextTurn();
    answers.drop(over);
    expect(events).toEqual(['spool 1', 'release a', 'release b']);
    answers.hold(exchange(), answer('e'));
    await nextTurn();
    expect(events.slice(3)).toEqual(['spool 1', 'release c']);
    answers.release();
    expect(events.slice(5)).toEqual(['spool 1', 'release d', 'spool 1', 'release e']);
  });

  it('does so at once when asked to, and once', async () => {
    const { answers, answer, events } = rig();
    answers.hold(exchange(), answer('a'));
    answers.release();
    await nextTurn();
    expect(events).toEqual(['spool 1', 'release a']);
  });

  it('lets the others out when one cannot be', async () => {
    const { answers, answer, events, failures } = rig();
    const error = new Error('a socket of its own');
    answers.hold(
      exchange(),
      answer('a', () => {
        throw error;
      }),
    );
    answers.hold(exchange(), answer('b'));
    await nextTurn();
    expect(events).toEqual(['spool 2', 'release a', 'release b']);
    expect(failures).toEqual([error]);
  });

  it('lets go of what is over, and leaves it to be recorded as it ended', async () => {
    const { answers, answer, events } = rig();
    const over = exchange();
    answers.hold(over, answer('a'));
    answers.hold(exchange(), answer('b'));
    answers.drop(over);
    expect(events).toEqual(['release a']);
    await nextTurn();
    expect(events).toEqual(['release a', 'spool 1', 'release b']);
  });
});
