import { inspect } from 'node:util';
import { explainRedisError } from '../../../src/backends/redis/redis-errors';
import { wasNotDone } from '../../../src/resilience/transient';

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
      "ERR Error running script (call to f_1fa): @user_script:3: @user_script: 3: -NOPERM The user executing the script can't run this command or subcommand",
      'ACCESS_DENIED',
    ],
    [
      "ERR The user executing the script can't run this command or subcommand script: 1fa00e, on @user_script:3.",
      'ACCESS_DENIED',
    ],
    [
      "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 1fa00e, on @user_script:3.",
      'ACCESS_DENIED',
    ],
    [
      'All sentinels are unreachable and retry is disabled. Last error: WRONGPASS invalid username-password pair',
      'ACCESS_DENIED',
    ],
    [
      'All sentinels are unreachable and retry is disabled. Last error: NOAUTH Authentication required.',
      'ACCESS_DENIED',
    ],
    [
      'ERR Error running script (call to f_1fa): @user_script:1: user_script:1: attempt to index',
      'UNAVAILABLE',
    ],
  ])('reads %j as %s, in a script of any release', (message, code) => {
    expect(explainRedisError(new Error(message))).toMatchObject({ code });
  });

  it('tells of no command, not of those of single nodes either', () => {
    const command = { name: 'auth', args: ['app', 'hunter2'] };
    const lastNodeError = Object.assign(new Error('DENIED by the proxy'), { name: 'ReplyError', command });
    const previousErrors = [lastNodeError];
    const all = Object.assign(new Error('Failed to refresh slots cache.'), {
      ...{ name: 'ClusterAllFailedError', lastNodeError, previousErrors, command },
    });
    const own = explainRedisError(all);
    for (const error of [own, explainRedisError(new Error('Closed.'), all)])
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain('hunter2');
    expect(inspect(own)).toContain('Failed to refresh slots cache.');
    expect(inspect(own)).toContain('DENIED by the proxy');
    expect(wasNotDone(own)).toBe(false);
  });

  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'CONFIG_INVALID'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CONFIG_INVALID'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'CONFIG_INVALID'],
    ['ECONNRESET', 'UNAVAILABLE'],
  ])('reads a connection that broke of %s as %s', (reason, code) => {
    const broken = Object.assign(new Error('of Node'), { code: reason });
    expect(explainRedisError(new Error('Connection is closed.'), broken)).toMatchObject({
      code,
      message: expect.stringContaining(reason.startsWith('ERR_SSL') ? 'speaks no TLS' : reason),
    });
  });
});
