import { BatchError, StorageError, StorageManager } from '../src';

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a StorageError as JSON', () => {
  it('has its code and its message, and nothing of its cause', () => {
    const error = new StorageError('UNAVAILABLE', 'The server is gone.', { cause: new Error('s3cret') });
    expect(asJson(error)).toEqual({
      name: 'StorageError',
      code: 'UNAVAILABLE',
      message: 'The server is gone.',
    });
  });

  it('has what its class adds', () => {
    const outcomes = [{ key: 'a', status: 'written' as const }];
    expect(asJson(new BatchError(outcomes))).toMatchObject({ code: 'BATCH_FAILED', outcomes });
  });

  // An endpoint that answers with it lost the reason.
  it('tells in the health of a manager why a half is down', async () => {
    const manager = new StorageManager({ cache: { type: 'memory' } });
    expect(asJson(await manager.healthCheck())).toMatchObject({
      details: {
        cache: { error: { code: 'NOT_OPEN', message: expect.stringContaining('connect()') as string } },
      },
    });
  });
});
