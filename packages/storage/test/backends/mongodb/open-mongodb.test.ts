import type { MongoClient } from 'mongodb';
import { databaseOf, openMongodb } from '../../../src/backends/mongodb/open-mongodb';

describe('The database of a MongoDB URL', () => {
  it.each([
    ['mongodb://localhost:27017/app', 'app'],
    ['mongodb+srv://ann:p%2Fw@cluster.example/app?retryWrites=true', 'app'],
    ['mongodb://one:1,two:2,[::1]:3/app%2D1?replicaSet=rs', 'app-1'],
    ['mongodb://localhost', 'recap'],
    ['mongodb://localhost/', 'recap'],
    ['mongodb://localhost/?tlsCAFile=/etc/ca.pem', 'recap'],
    // Where nothing stands before the options, a path among them is no database.
    ['mongodb://localhost?tlsCAFile=/etc/ca.pem', 'recap'],
  ])('is the one that it names, or ours: %s', (url, database) => {
    expect(databaseOf({ url })).toBe(database);
  });
});

describe('A client of MongoDB', () => {
  it.each([
    ['mongodb://localhost', [20, 0, 60_000, 'recap']],
    ['mongodb://localhost/app?maxPoolSize=50&MINPOOLSIZE=5', [50, 5, 60_000, 'recap']],
    ['mongodb://localhost?maxIdleTimeMS=7&appName=mine', [20, 0, 7, 'mine']],
  ])('has the pool and the name that its URL says: %s', async (url, expected) => {
    const { options } = (await openMongodb({ url }, 1_000)) as unknown as MongoClient;
    const { maxPoolSize, minPoolSize, maxIdleTimeMS, appName } = options;
    expect([maxPoolSize, minPoolSize, maxIdleTimeMS, appName]).toEqual(expected);
  });
});
