import { databaseOf } from '../../../src/backends/mongodb/open-mongodb';

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
