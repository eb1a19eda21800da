import { loadSqliteDriver } from '../../src/typeorm/sqlite-driver';

const failing = (error: Error) => () => {
  throw error;
};

const absent = (name: string): Error =>
  Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });

const NODE_API = process.versions.napi;

describe('loadSqliteDriver', () => {
  beforeEach(() => {
    jest.doMock('better-sqlite3-napi', failing(absent('better-sqlite3-napi')), { virtual: true });
  });
  afterEach(() => {
    jest.resetModules();
    jest.dontMock('better-sqlite3');
    Object.defineProperty(process.versions, 'napi', { value: NODE_API });
  });

  it.each([
    ['10', false, 'stable'],
    ['9', false, 'usual'],
    ['10', true, 'usual'],
  ])('on Node-API %s, own binary %s, loads the %s line', async (napi, hasOwnBinary, line) => {
    Object.defineProperty(process.versions, 'napi', { value: napi });
    class Stable {
      close() {}
    }
    class Usual extends Stable {}
    jest.doMock('better-sqlite3-napi', () => Stable, { virtual: true });
    jest.doMock('better-sqlite3', () => Usual);
    const { package: loaded } = await loadSqliteDriver(undefined, hasOwnBinary);
    expect(loaded).toBe(line === 'stable' ? Stable : Usual);
  });

  it('takes the usual line where the stable one is not installed', async () => {
    Object.defineProperty(process.versions, 'napi', { value: '10' });
    class Usual {
      close() {}
    }
    jest.doMock('better-sqlite3', () => Usual);
    await expect(loadSqliteDriver(undefined)).resolves.toMatchObject({ package: Usual });
  });

  it('loads better-sqlite3', async () => {
    expect(await loadSqliteDriver(undefined)).toMatchObject({ name: 'better-sqlite3' });
  });

  it.each([
    [
      'is not installed',
      Object.assign(new Error("Cannot find module 'better-sqlite3'"), { code: 'MODULE_NOT_FOUND' }),
    ],
    [
      'another version of Node',
      Object.assign(new Error('NODE_MODULE_VERSION'), { code: 'ERR_DLOPEN_FAILED' }),
    ],
    ['not compiled', new Error('Could not locate the bindings file.')],
  ])('says what to do when the package %s', async (state, cause) => {
    jest.doMock('better-sqlite3', failing(cause), { virtual: true });
    const error: unknown = await loadSqliteDriver('better-sqlite3').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SQLITE_NOT_BUILT' });
    expect(String(error)).toContain(state);
    expect(String(error)).toMatch(/allowScripts.*build-essential.*npm (install|rebuild) better-sqlite3/s);
  });

  it('says which package is missing when sqlite3 was asked for', async () => {
    jest.doMock('sqlite3', failing(absent('sqlite3')), { virtual: true });
    await expect(loadSqliteDriver('sqlite3')).rejects.toMatchObject({ code: 'DRIVER_MISSING' });
  });

  it('falls back to sqlite3 only when that loads and TypeORM knows it', async () => {
    jest.doMock('better-sqlite3', failing(new Error('Could not locate the bindings file.')));
    jest.doMock('sqlite3', failing(absent('sqlite3')), { virtual: true });
    await expect(loadSqliteDriver(undefined)).rejects.toMatchObject({ code: 'SQLITE_NOT_BUILT' });
    jest.doMock('sqlite3', () => ({ Database: class {} }), { virtual: true });
    await expect(loadSqliteDriver(undefined)).rejects.toMatchObject({ code: 'SQLITE_NOT_BUILT' });
  });

  it('says that sqlite3 is of no use to this TypeORM', async () => {
    jest.doMock('sqlite3', () => ({ Database: class {} }), { virtual: true });
    await expect(loadSqliteDriver('sqlite3')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
