import { checkRecorderOptions, type RecorderOptions } from '../../src/recorder/recorder-options';

describe('the options of a recorder', () => {
  // Nothing was said until the first write failed, which is when the spool is needed.
  it('refuse a folder for the spool that no disk can have', () => {
    const check = (path: string) => () => {
      checkRecorderOptions({ spool: { path } } satisfies RecorderOptions);
    };
    expect(check('./spool')).not.toThrow();
    for (const path of ['a\0b', '']) {
      expect(check(path)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      expect(check(path)).toThrow(/spool\.path/);
    }
  });
});
