import { inspect } from 'node:util';
import { explainMongoError, isEndUnknown, isUndone } from '../../../src/backends/mongodb/mongodb-errors';

describe('errors of MongoDB', () => {
  it.each([
    [{ code: 18 }, 'ACCESS_DENIED'],
    [{ code: 8_000 }, 'ACCESS_DENIED'],
    [{ code: 13 }, 'ACCESS_DENIED'],
    [{ code: 17_419 }, 'VALUE_TOO_LARGE'],
    [{ code: 14_031 }, 'CAPACITY_EXCEEDED'],
    [{ code: 121 }, 'REFUSED'],
    [{ code: 73 }, 'CONFIG_INVALID'],
    [{ code: 13_297 }, 'CONFIG_INVALID'],
    [{ code: 100 }, 'CONFIG_INVALID'],
    [{ code: 85 }, 'CONFIG_INVALID'],
    [{ code: 86 }, 'CONFIG_INVALID'],
    [{ code: 10_107 }, 'UNAVAILABLE'],
    [{ name: 'MongoWaitQueueTimeoutError' }, 'POOL_EXHAUSTED'],
    [{ name: 'MongoNetworkError', cause: { code: 'ECONNRESET' } }, 'UNAVAILABLE'],
    [{ name: 'MongoServerSelectionError', cause: { cause: { code: 'CERT_HAS_EXPIRED' } } }, 'CONFIG_INVALID'],
    [undefined, 'UNAVAILABLE'],
  ])('%j are %s', (like, code) => {
    const error = like && Object.assign(new Error('of the driver'), like);
    expect(explainMongoError(error)).toMatchObject({ code, cause: error });
  });

  it('name the reason of the network', () => {
    const cause = Object.assign(new Error(), { code: 'ECONNREFUSED' });
    expect(inspect(explainMongoError(new Error('', { cause })).message)).toContain('ECONNREFUSED');
  });

  it.each([
    [{ code: 24, label: 'TransientTransactionError' }, true, false],
    [{ code: 11_000 }, true, false],
    [{ code: 251 }, false, false],
    [{ code: 91, label: 'UnknownTransactionCommitResult' }, false, true],
    [{ code: 50, label: 'UnknownTransactionCommitResult' }, false, false],
    [{ code: 112, hasErrorLabel: 'TransientTransactionError' }, false, false],
    [undefined, false, false],
  ])('as %j say whether a transaction was undone, or may have been made', (like, undone, unknown) => {
    const { label } = { label: undefined, ...like };
    const error = like && { hasErrorLabel: (name: string) => name === label, ...like };
    expect([isUndone(error), isEndUnknown(error)]).toEqual([undone, unknown]);
  });
});
