import type { Attributes, DynamoClient, DynamoModule } from '../../../src/backends/dynamodb/dynamo-client';
import { DynamoTable } from '../../../src/backends/dynamodb/dynamo-table';

const RETRY_MS = 100;
const ANSWER_MS = 40;

class Command {
  readonly input: object;

  constructor(input: object) {
    this.input = input;
  }
}

describe('batches that the server leaves undone in part', () => {
  const keys: readonly Attributes[] = [1, 2, 3, 4, 5, 6].map((place) => ({
    pk: { B: Buffer.from('p') },
    sk: { B: Buffer.of(place) },
  }));
  let nowMs: number;
  let answers: number;

  /** A server that takes so many of each batch, and its time for it. */
  const tableThatTakes = (count: number): DynamoTable => {
    const client: DynamoClient = {
      send: (command) => {
        nowMs += ANSWER_MS;
        answers += 1;
        const { RequestItems: requests } = (command as Command).input as { RequestItems: { t: unknown } };
        if (Array.isArray(requests.t))
          return Promise.resolve({ UnprocessedItems: { t: requests.t.slice(count) as unknown[] } });
        const { Keys: wanted } = requests.t as { Keys: readonly Attributes[] };
        const left = wanted.slice(count);
        return Promise.resolve({
          Responses: { t: wanted.slice(0, count) },
          ...(left.length > 0 && { UnprocessedKeys: { t: { Keys: left } } }),
        });
      },
      destroy: () => undefined,
    };
    const commands = { BatchGetItemCommand: Command, BatchWriteItemCommand: Command };
    return new DynamoTable(client, commands as unknown as DynamoModule, {
      ...{ name: 't', retryMs: RETRY_MS, random: () => 0 },
    });
  };

  beforeEach(() => {
    nowMs = 0;
    answers = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });
  afterEach(() => jest.restoreAllMocks());

  it('are asked for as long as each answer brings something', async () => {
    expect(await tableThatTakes(1).getMany(keys)).toEqual(keys);
    expect(answers).toBe(6);
  });

  it('are removed as long as each answer removes something', async () => {
    await tableThatTakes(1).removeMany(keys);
    expect(answers).toBe(6);
  });

  it('are given up where nothing comes in time', async () => {
    const failure = { name: 'ProvisionedThroughputExceededException' };
    await expect(tableThatTakes(0).getMany(keys)).rejects.toMatchObject(failure);
    await expect(tableThatTakes(0).removeMany(keys)).rejects.toMatchObject(failure);
    expect(answers).toBe(6);
  });
});
