import { explainPostgresError } from '../../../src/backends/postgres/postgres-errors';
import { wasNotDone } from '../../../src/resilience/transient';

describe('explainPostgresError', () => {
  it.each([
    ['28P01', 'ACCESS_DENIED'],
    ['3D000', 'ACCESS_DENIED'],
    ['53100', 'CAPACITY_EXCEEDED'],
    ['53300', 'POOL_EXHAUSTED'],
    ['57P01', 'UNAVAILABLE'],
    ['ECONNREFUSED', 'UNAVAILABLE'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'CONFIG_INVALID'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'CONFIG_INVALID'],
    ['CERT_HAS_EXPIRED', 'CONFIG_INVALID'],
  ])('reads the code %s as %s', (code, known) => {
    const error = explainPostgresError(Object.assign(new Error('of the driver'), { code }));
    expect(error).toMatchObject({ code: known });
  });

  // A forgotten password was tried again, and a fallback took over.
  it.each([
    ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'ACCESS_DENIED'],
    ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string', 'ACCESS_DENIED'],
    ['Password must be a string', 'ACCESS_DENIED'],
    ['The server does not support SSL connections', 'CONFIG_INVALID'],
  ])('reads %j as %s', (message, code) => {
    expect(explainPostgresError(new Error(message))).toMatchObject({ code });
  });

  // It was told as an exhausted pool, which no fallback takes over from.
  it('tells a pool that is taken from a server that makes no connection', () => {
    const waited = new Error('timeout exceeded when trying to connect');
    expect(explainPostgresError(waited, true)).toMatchObject({ code: 'POOL_EXHAUSTED' });
    for (const error of [
      explainPostgresError(waited, false),
      explainPostgresError(new Error('Connection terminated due to connection timeout')),
    ]) {
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(wasNotDone(error)).toBe(true);
    }
  });

  it('says how a connection broke, and nothing that a server may have been given', () => {
    const [broken, other] = ['Connection terminated unexpectedly', 'value "s3cret" is odd'].map((message) =>
      explainPostgresError(new Error(message)),
    );
    expect(broken).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('terminated unexpectedly'),
    });
    expect(other).toMatchObject({ code: 'UNAVAILABLE', message: expect.not.stringContaining('s3cret') });
  });
});
