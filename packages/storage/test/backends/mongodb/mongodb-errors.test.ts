import { inspect } from 'node:util';
import { explainMongoError } from '../../../src/backends/mongodb/mongodb-errors';

describe('errors of MongoDB', () => {
  it.each([
    [{ code: 18 }, 'ACCESS_DENIED'],
    [{ code: 8_000 }, 'ACCESS_DENIED'],
    [{ code: 13 }, 'ACCESS_DENIED'],
    [{ code: 17_419 }, 'VALUE_TOO_LARGE'],
    [{ code: 14_031 }, 'CAPACITY_EXCEEDED'],
    [{ code: 10_107 }, 'UNAVAILABLE'],
    [{ name: 'MongoWaitQueueTimeoutError' }, 'POOL_EXHAUSTED'],
    [{ name: 'MongoNetworkError', cause: { code: 'ECONNRESET' } }, 'UNAVAILABLE'],
    [undefined, 'UNAVAILABLE'],
  ])('%j are %s', (like, code) => {
    const error = like && Object.assign(new Error('of the driver'), like);
    expect(explainMongoError(error)).toMatchObject({ code, cause: error });
  });

  it('name the reason of the network', () => {
    const cause = Object.assign(new Error(), { code: 'ECONNREFUSED' });
    expect(inspect(explainMongoError(new Error('', { cause })).message)).toContain('ECONNREFUSED');
  });
});
