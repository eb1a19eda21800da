import { encodeElements } from '../src/stored-value';

describe('the elements of a list', () => {
  it('are refused with the index of the one that is none', () => {
    expect(() => encodeElements([1, { at: undefined }], 1_000)).toThrow(
      expect.objectContaining({
        code: 'VALUE_INVALID',
        message:
          'Element 1: The value at "/at" is undefined, which JSON cannot hold. Leave it out, or give null.',
      }),
    );
  });

  it('are refused with the index of the one that is too large', () => {
    expect(() => encodeElements(['a', 'b', 'x'.repeat(1_000)], 100)).toThrow(
      expect.objectContaining({ code: 'VALUE_TOO_LARGE', message: expect.stringMatching(/^Element 2: /) }),
    );
  });
});
