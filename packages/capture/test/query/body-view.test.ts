import { isTooDeep } from '../../src/json-depth';
import { viewBody } from '../../src/query/body-view';
import { newEntry } from '../../src/testing';

const entry = (overrides: Parameters<typeof newEntry>[0]) => ({ ...newEntry(overrides), sessionId: 's' });

describe('viewBody', () => {
  it('shows JSON as a value, other text as a string and bytes as base64', () => {
    const shown = (contentType: string, body: Buffer) =>
      viewBody(
        entry({
          responseContentType: contentType,
          responseBody: body,
          responseUnpackedBytes: body.length,
          responseState: 'captured',
        }),
        'response',
        true,
      ).data;
    expect(shown('application/json', Buffer.from('{"a":[1,null]}'))).toEqual({ a: [1, null] });
    expect(shown('text/plain', Buffer.from('grüß'))).toBe('grüß');
    expect(shown('image/png', Buffer.from([255, 0]))).toEqual({ encoding: 'base64', content: '/wA=' });
  });

  it('tells of a body that does not unpack that it is corrupt, not that there was none', () => {
    const broken = entry({
      responseBody: Buffer.from('garbage'),
      responseCodec: 'deflate',
      responseUnpackedBytes: 100,
      responseOriginalBytes: 100,
      responseState: 'captured',
    });
    expect(viewBody(broken, 'response', true)).toEqual({
      data: null,
      data_state: 'corrupt',
      original_bytes: 100,
    });
  });

  it.each(['truncated', 'dropped', 'not_captured'] as const)(
    'says of a %s body what it is, with or without data',
    (state) => {
      const body = state === 'truncated' ? Buffer.from('{"a":') : null;
      const cut = entry({
        requestContentType: 'application/json',
        requestState: state,
        requestBody: body,
        requestUnpackedBytes: body?.length ?? 0,
        requestOriginalBytes: 9000,
      });
      const told = { data_state: state, original_bytes: 9000 };
      expect(viewBody(cut, 'request', true)).toEqual({ data: body?.toString() ?? null, ...told });
      expect(viewBody({ ...cut, requestBody: null }, 'request', false)).toEqual({ data: null, ...told });
    },
  );

  it('shows a body nested beyond what can be written as JSON as unreadable', () => {
    const text = '['.repeat(50_000) + ']'.repeat(50_000);
    const body = Buffer.from(text);
    const deep = entry({ responseBody: body, responseUnpackedBytes: body.length, responseState: 'captured' });
    expect(viewBody(deep, 'response', true)).toMatchObject({ data: null, data_state: 'corrupt' });
  });
});

describe('isTooDeep', () => {
  it('counts levels of arrays and objects alike', () => {
    let value: unknown = 1;
    for (let level = 0; level < 1000; level += 1) value = level % 2 === 0 ? [value] : { value };
    expect(isTooDeep(value)).toBe(false);
    expect(isTooDeep([[value]])).toBe(true);
  });
});
