import assert from 'node:assert/strict';
import type { JsonValue } from '../json-value';
import { HOSTILE_KEYS, rejects, type SuiteContext } from './suite-context';

/** What has been heard, and a way to wait for more without counting time. */
class Ear {
  readonly heard: JsonValue[] = [];
  #wake: (() => void) | undefined;

  readonly listen = (message: JsonValue): void => {
    this.heard.push(message);
    this.#wake?.();
  };

  async hears(count: number): Promise<readonly JsonValue[]> {
    while (this.heard.length < count)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.heard;
  }
}

export function describeMessages({ backend, describe, it, itCan, itWithAnother }: SuiteContext): void {
  describe('messages', () => {
    itCan('publish', 'reach all who listen to the channel, in their order', async () => {
      const [one, two, other] = [new Ear(), new Ear(), new Ear()];
      await backend().subscribe('c', one.listen);
      await backend().subscribe('c', two.listen);
      await backend().subscribe('C', other.listen);
      const messages: JsonValue[] = [{ a: [1] }, 'text', null, "it's \0 %", 'x'.repeat(4_094)];
      for (const message of messages) await backend().publish('c', message);
      assert.deepEqual(await one.hears(5), messages);
      assert.deepEqual(await two.hears(5), messages);
      await backend().publish('C', 'end');
      assert.deepEqual(await other.hears(1), ['end']);
    });

    itCan('publish', 'cross channels of every name', async () => {
      const ear = new Ear();
      for (const name of HOSTILE_KEYS) await backend().subscribe(name, ear.listen);
      for (const name of HOSTILE_KEYS) await backend().publish(name, name);
      const heard = await ear.hears(HOSTILE_KEYS.length);
      assert.deepEqual([...heard].sort(), [...HOSTILE_KEYS].sort());
    });

    for (const length of [63, 255, 1_000])
      itCan(
        'publish',
        `stay in their channel where names differ only after ${length} characters`,
        async () => {
          const channels = ['a', 'b'].map((end) => ({ name: 'x'.repeat(length) + end, ear: new Ear() }));
          for (const { name, ear } of channels) await backend().subscribe(name, ear.listen);
          for (const { name } of channels) await backend().publish(name, name);
          for (const { name, ear } of channels) assert.deepEqual(await ear.hears(1), [name]);
        },
      );

    itCan('publish', 'end with the subscription, for one listener alone', async () => {
      const [leaving, staying] = [new Ear(), new Ear()];
      const leave = await backend().subscribe('c', leaving.listen);
      await backend().subscribe('c', staying.listen);
      await backend().publish('c', 1);
      await staying.hears(1);
      await leaving.hears(1);
      await leave();
      await leave();
      await backend().publish('c', 2);
      assert.deepEqual(await staying.hears(2), [1, 2]);
      assert.deepEqual(leaving.heard, [1]);
    });

    itCan('publish', 'are copies, and survive a listener that throws', async () => {
      const ear = new Ear();
      await backend().subscribe('c', (message) => {
        (message as { x: number }).x = 2;
        throw new Error('A listener of the suite throws on purpose.');
      });
      await backend().subscribe('c', ear.listen);
      await backend().publish('c', { x: 1 });
      assert.deepEqual(await ear.hears(1), [{ x: 1 }]);
    });

    itCan('publish', 'are refused where they are too large, no JSON, or the channel is none', async () => {
      await rejects(backend().publish('c', 'x'.repeat(4_095)), 'VALUE_TOO_LARGE');
      await rejects(backend().publish('c', undefined as never), 'VALUE_INVALID');
      await rejects(backend().publish('', 1), 'KEY_INVALID');
      await rejects(
        backend().subscribe('', () => undefined),
        'KEY_INVALID',
      );
    });

    itWithAnother('reach another instance (where it can publish)', async (another) => {
      if (!backend().capabilities.publish) return;
      const ear = new Ear();
      const listening = await another();
      try {
        await listening.subscribe('c', ear.listen);
        await backend().publish('c', 1);
        assert.deepEqual(await ear.hears(1), [1]);
      } finally {
        await listening.close();
      }
    });

    it('are refused with UNSUPPORTED where the engine has none', async () => {
      if (backend().capabilities.publish) return;
      await rejects(backend().publish('c', 1), 'UNSUPPORTED');
      await rejects(
        backend().subscribe('c', () => undefined),
        'UNSUPPORTED',
      );
    });
  });
}
