import { createSqliteBackend } from '../src';
import { loadBetterSqlite, type BetterSqliteSources } from '../src/load-better-sqlite';

const failing = (error: Error) => () => {
  throw error;
};

const absent = (name: string): Error =>
  Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });

class Usual {
  close() {}
}
class Stable {
  close() {}
}

const sources = (usual: () => unknown, stable: () => unknown = () => Stable): BetterSqliteSources => ({
  usual: { load: usual, resolve: () => require.resolve('better-sqlite3') },
  stable: { load: stable, resolve: () => '' },
});

const NODE_API = process.versions.napi;
const setNodeApi = (value: string): void => {
  Object.defineProperty(process.versions, 'napi', { value });
};

afterEach(() => setNodeApi(NODE_API!));

describe('loadBetterSqlite', () => {
  it.each([
    ['10', false, Stable],
    ['9', false, Usual],
    ['10', true, Usual],
  ])('on Node-API %s, own binary %s, takes the line that it can load', (napi, hasOwnBinary, expected) => {
    setNodeApi(napi);
    expect(
      loadBetterSqlite(
        sources(() => Usual),
        hasOwnBinary,
      ).Database,
    ).toBe(expected);
  });

  it('takes the usual line where the other was left out', () => {
    setNodeApi('10');
    const given = sources(() => Usual, failing(absent('better-sqlite3-napi')));
    expect(loadBetterSqlite(given).Database).toBe(Usual);
  });

  it.each([
    ['DRIVER_MISSING', 'is not installed', absent('better-sqlite3')],
    [
      'SQLITE_NOT_BUILT',
      'another version of Node',
      Object.assign(new Error('NODE_MODULE_VERSION'), { code: 'ERR_DLOPEN_FAILED' }),
    ],
    ['SQLITE_NOT_BUILT', 'not compiled', new Error('Could not locate the bindings file.')],
  ])('answers %s when the package %s, and says what to do', (code, state, cause) => {
    const load = () => loadBetterSqlite(sources(failing(cause), failing(absent('stable'))));
    expect(load).toThrow(expect.objectContaining({ code, cause }) as Error);
    expect(load).toThrow(state);
    expect(load).toThrow(/allowScripts.*build-essential.*npm (install|rebuild) better-sqlite3/s);
  });

  it('refuses a line that would end the process', () => {
    setNodeApi('9');
    const given = sources(() => Usual);
    const stable = { ...given.usual, resolve: () => `${__dirname}/fixtures/better-sqlite3-13/lib/index.js` };
    expect(() => loadBetterSqlite({ ...given, usual: stable })).toThrow(
      expect.objectContaining({
        code: 'SQLITE_NOT_BUILT',
        message: expect.stringContaining('@12') as string,
      }) as Error,
    );
  });
});

describe('an SQLite backend', () => {
  it('loads its driver on open() only, and says how to install it', async () => {
    jest.doMock('better-sqlite3', failing(absent('better-sqlite3')));
    jest.doMock('better-sqlite3-napi', failing(absent('better-sqlite3-napi')), { virtual: true });
    const backend = createSqliteBackend({ path: ':memory:' });
    await expect(backend.open()).rejects.toMatchObject({
      code: 'DRIVER_MISSING',
      message: expect.stringContaining('npm install better-sqlite3') as string,
    });
    jest.dontMock('better-sqlite3');
    jest.dontMock('better-sqlite3-napi');
    jest.resetModules();
    await backend.open();
    await backend.close();
  });
});
