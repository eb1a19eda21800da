import { createDynamodbBackend, type Backend, type DynamodbBackendOptions } from '@recap/storage';
import { FakeClock } from '@recap/storage/testing';
import { clientAround, failureOf, withTransactions, type Command } from './dynamodb-clients';
import { dynamoEndpoint, freshPrefix, makeClient, place, removeTable } from './dynamodb-servers';

const at = (key: string, partition = 'p') => ({ partition, key });
/** Of all that one transaction writes. */
const TRANSACTION_BYTES = 4 * 2 ** 20;

function bytesOf(input: object): number {
  return JSON.stringify(input, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  ).length;
}

(dynamoEndpoint === undefined ? describe.skip : describe)('The limits of DynamoDB', () => {
  const admin = makeClient();
  let opened: Backend[] = [];

  const through = async (
    around: (command: Command, send: (command: Command) => Promise<unknown>) => Promise<unknown>,
    options: DynamodbBackendOptions = {},
  ): Promise<Backend> => {
    const { endpoint: _endpoint, region: _region, credentials: _credentials, ...shared } = place();
    const stub = withTransactions(admin);
    const backend = createDynamodbBackend({
      ...shared,
      ...{ client: clientAround(stub as never, around), transact: true, random: () => 0.01 },
      ...{ keyPrefix: freshPrefix(), clock: new FakeClock(), sweepIntervalMs: 0 },
      ...options,
    });
    opened.push(backend);
    await backend.open();
    return backend;
  };
  const failure = (call: Promise<unknown>): Promise<{ code?: string; message: string }> =>
    call.then(
      () => Promise.reject(new Error('It did not fail.')),
      (error: unknown) => error as Error,
    );
  const isTransaction = (command: Command) => command.constructor.name === 'TransactWriteItemsCommand';

  afterEach(async () => {
    for (const backend of opened) await backend.close();
    opened = [];
  });
  afterAll(async () => {
    await removeTable(admin);
    admin.destroy();
  });

  it.each([
    [15, 380_000],
    [100, 60_000],
  ])('a transaction of %i sets of %i bytes is no larger than the server takes', async (count, bytes) => {
    const sizes: number[] = [];
    const backend = await through((command, send) => {
      if (isTransaction(command)) sizes.push(bytesOf(command.input));
      return send(command);
    });
    const keys = Array.from({ length: count }, (_, index) => `k${index}`);
    await backend.transact(keys.map((key) => ({ type: 'set', ...at(key), value: key.padEnd(bytes) })));
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeLessThan(TRANSACTION_BYTES);
    for (const key of [keys[0]!, keys.at(-1)!])
      expect((await backend.get(at(key)))?.value).toBe(key.padEnd(bytes));
  });

  it.each([
    ['ValidationException', {}],
    [
      'TransactionCanceledException',
      { CancellationReasons: [{ Code: 'None' }, { Code: 'ValidationError' }] },
    ],
  ])('what the server finds wrong is REFUSED and not sent again: %s', async (name, more) => {
    let calls = 0;
    const backend = await through((command, send) => {
      if (!isTransaction(command)) return send(command);
      calls += 1;
      return Promise.reject(failureOf(name, more));
    });
    const call = backend.transact([{ type: 'set', ...at('k'), value: 1 }]);
    expect(await failure(call)).toMatchObject({ code: 'REFUSED' });
    expect(calls).toBe(1);
  });

  it('a transaction that is still under way is asked for again by its token', async () => {
    const tokens: unknown[] = [];
    const backend = await through((command, send) => {
      if (!isTransaction(command)) return send(command);
      tokens.push((command.input as { ClientRequestToken?: unknown }).ClientRequestToken);
      return tokens.length < 3 ? Promise.reject(failureOf('TransactionInProgressException')) : send(command);
    });
    await backend.transact([{ type: 'set', ...at('k'), value: 1 }]);
    expect((await backend.get(at('k')))?.value).toBe(1);
    expect(tokens).toEqual(Array(3).fill(tokens[0]));
  });
});
