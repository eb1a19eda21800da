import { explainRedisError } from '../../../src/backends/redis/redis-errors';

describe('explainRedisError', () => {
  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'CAPACITY_EXCEEDED'],
    [
      "ERR Error running script (call to f_1fa00e76656cc152ad327c13fe365858fd7be306): @user_script:3: @user_script: 3: -OOM command not allowed when used memory > 'maxmemory'.",
      'CAPACITY_EXCEEDED',
    ],
    ['OOM command not allowed. script: 1fa00e, on @user_script:3.', 'CAPACITY_EXCEEDED'],
    ['NOPERM this user has no permissions', 'ACCESS_DENIED'],
    [
      'ERR Error running script (call to f_1fa): @user_script:1: user_script:1: attempt to index',
      'UNAVAILABLE',
    ],
  ])('reads %j as %s, in a script of any release', (message, code) => {
    expect(explainRedisError(new Error(message))).toMatchObject({ code });
  });
});
