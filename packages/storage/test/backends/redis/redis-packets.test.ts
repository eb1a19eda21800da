import { Writable } from 'node:stream';
import type { RedisClient } from '../../../src/backends/redis/redis-client';
import { RedisPackets } from '../../../src/backends/redis/redis-packets';

/** Notes what leaves together. */
function open() {
  const packets: string[][] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      packets.push([String(chunk)]);
      done();
    },
    writev: (chunks, done) => {
      packets.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  return { packets, stream };
}

const clientOf = (parts: object): RedisClient => parts as RedisClient;

describe('RedisPackets', () => {
  it('sends what is asked in one turn together, and nothing later than that turn', async () => {
    const { packets, stream } = open();
    const together = new RedisPackets(clientOf({ isCluster: false, stream }));
    const ask = async (command: string): Promise<void> => {
      await Promise.resolve();
      together.open();
      stream.write(command);
    };
    await Promise.all(['a', 'b', 'c'].map(ask));
    await new Promise(process.nextTick);
    expect(packets).toEqual([['a', 'b', 'c']]);
    await ask('d');
    await new Promise(process.nextTick);
    expect(packets).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('does so on each node of a cluster', async () => {
    const nodes = [open(), open()];
    const together = new RedisPackets(clientOf({ isCluster: true, nodes: () => nodes }));
    for (const command of ['a', 'b']) {
      together.open();
      for (const { stream } of nodes) stream.write(command);
    }
    await new Promise(process.nextTick);
    expect(nodes.map(({ packets }) => packets)).toEqual([[['a', 'b']], [['a', 'b']]]);
  });

  it('takes a client whose connection is lost, or that shows none', () => {
    for (const stream of [undefined, null, {}]) {
      const together = new RedisPackets(clientOf({ isCluster: false, stream }));
      expect(() => together.open()).not.toThrow();
    }
  });
});
