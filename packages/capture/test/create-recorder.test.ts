import { createRecorder } from '../src/create-recorder';

describe('createRecorder', () => {
  it('says which databases can keep what strict promises when it is given one in memory', () => {
    const create = () =>
      createRecorder({ database: { type: 'sqlite', path: ':memory:' }, durability: 'strict' });
    expect(create).toThrow(expect.objectContaining({ code: 'DURABILITY_MISMATCH' }));
    expect(create).toThrow(/there is no disk\. Give the path of a file.* or a PostgreSQL database\.$/);
    expect(create).not.toThrow(/weaker/);
  });
});
