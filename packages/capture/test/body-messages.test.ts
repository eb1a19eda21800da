import fc from 'fast-check';
import { listEvents, listLines } from '../src/body-messages';
import { decodeBody } from '../src/codec';
import { newEntry } from '../src/testing';

const whole = (data: unknown, event = 'message', id: string | null = null) => ({
  event,
  id,
  data,
  data_state: null,
});
const line = (data: unknown) => ({ event: null, id: null, data, data_state: null });

describe('the events of a stream', () => {
  it('are those that a client is given, with JSON objects and arrays as values', () => {
    const text = [
      ': a comment',
      '',
      'event: token\nid: 7\ndata: {"text":"hé"}',
      'retry: 100',
      'data: [1,\ndata: 2]',
      'data: 12',
      'data',
      'data:no space\ndata:  two spaces',
      'event: nothing',
      'data: [DONE]',
      '',
    ].join('\n\n');
    expect(listEvents(text).messages).toEqual([
      whole({ text: 'hé' }, 'token', '7'),
      whole([1, 2]),
      whole('12'),
      whole(''),
      whole('no space\n two spaces'),
      whole('[DONE]'),
    ]);
  });

  it.each(['\n', '\r', '\r\n'])('are parted by lines that end in %j', (end) => {
    const text = ['\uFEFFdata: a', 'data: b', '', 'event: x', 'data: c', '', ''].join(end);
    expect(listEvents(text).messages).toEqual([whole('a\nb'), whole('c', 'x')]);
  });

  it('end with the one that was not finished, as far as it came', () => {
    expect(listEvents('data: {"a":1}\n\nevent: e\ndata: {"a":').messages).toEqual([
      whole({ a: 1 }),
      { event: 'e', id: null, data: '{"a":', data_state: 'truncated' },
    ]);
    expect(listEvents('data: 1\n\nda').messages).toEqual([whole('1')]);
  });

  it('ignore an id that holds NUL, as clients do', () => {
    expect(listEvents('id: a\0b\ndata: 1\n\n').messages).toEqual([whole('1')]);
  });

  it('come back as they were sent, however they are written', () => {
    const word = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''));
    const event = fc.record({ name: word, data: fc.array(word, { minLength: 1, maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom('\n', '\r', '\r\n'), (events, end) => {
        const text = events.map(({ name, data }) =>
          [`event: ${name}`, ...data.map((each) => `data: ${each}`), '', ''].join(end),
        );
        const { messages } = listEvents(text.join(''));
        expect(messages.map((each) => each.event)).toEqual(events.map(({ name }) => name || 'message'));
        messages.forEach(({ data }, at) => {
          const sent = events[at]!.data.join('\n');
          expect(typeof data === 'string' ? data : JSON.parse(sent)).toEqual(
            typeof data === 'string' ? sent : data,
          );
        });
      }),
    );
  });
});

describe('the lines of JSON lines', () => {
  it('are their values, empty ones left out', () => {
    expect(listLines('{"a":1}\n\r\n[2]\r\n"x"\nnull\n12', false).messages).toEqual([
      line({ a: 1 }),
      line([2]),
      line('x'),
      line(null),
      line(12),
    ]);
  });

  it('may be a JSON text sequence, whose texts run over lines', () => {
    expect(listLines('\x1e{"a":\n1}\n\x1e2\n', false).messages).toEqual([line({ a: 1 }), line(2)]);
  });

  it('tell a line that is no JSON from one that was cut', () => {
    const state = (data: string, data_state: string) => ({ event: null, id: null, data, data_state });
    expect(listLines('{oops\n{"a":', true).messages).toEqual([
      state('{oops', 'unparsable'),
      state('{"a":', 'truncated'),
    ]);
    expect(listLines('12\n12', true).messages).toEqual([line(12), state('12', 'truncated')]);
    expect(listLines('{"a":1}', true).messages).toEqual([line({ a: 1 })]);
  });

  it('show as text what is nested too deeply to be written', () => {
    const deep = '['.repeat(5_000) + ']'.repeat(5_000);
    expect(listLines(`${deep}\n1`, false).messages).toEqual([
      { ...line(deep), data_state: 'unparsable' },
      line(1),
    ]);
  });
});

it.each([
  ['events', listEvents('data: x\n\n'.repeat(10_000)), listEvents('data: x\n\n'.repeat(10_001))],
  ['lines', listLines('1\n'.repeat(10_000), false), listLines('1\n'.repeat(10_001), false)],
])('lists 10,000 %s, and says whether there are more', (_what, all, some) => {
  expect([all.messages.length, all.has_more_messages]).toEqual([10_000, false]);
  expect([some.messages.length, some.has_more_messages]).toEqual([10_000, true]);
});

describe('decodeBody', () => {
  const decoded = (contentType: string, bytes: Buffer, state: 'captured' | 'truncated' = 'captured') =>
    decodeBody(
      newEntry({
        responseContentType: contentType,
        responseBody: bytes,
        responseUnpackedBytes: bytes.length,
        responseState: state,
      }),
      'response',
    );

  it('lists the messages of a stream beside its text', () => {
    expect(decoded('text/event-stream; charset=utf-8', Buffer.from('data: 1\n\n: bye\n\n'))).toEqual({
      data: {
        messages: [whole('1')],
        has_more_messages: false,
        encoding: 'utf8',
        content: 'data: 1\n\n: bye\n\n',
      },
    });
    expect(decoded('application/x-ndjson', Buffer.from('{"a":1}\n')).data).toMatchObject({
      messages: [line({ a: 1 })],
      content: '{"a":1}\n',
    });
  });

  it('keeps the bytes of a stream that is no UTF-8', () => {
    const bytes = Buffer.from('data: \xff\n\n', 'latin1');
    expect(decoded('text/event-stream', bytes).data).toEqual({
      messages: [whole('\uFFFD')],
      has_more_messages: false,
      encoding: 'base64',
      content: bytes.toString('base64'),
    });
  });

  it('shows text that was cut within a character as text', () => {
    const bytes = Buffer.from('größer 🚀');
    for (let end = 0; end <= bytes.length; end += 1) {
      const { data } = decoded('text/plain', bytes.subarray(0, end), 'truncated');
      expect('größer 🚀').toContain(data);
      expect(Buffer.byteLength(data as string)).toBeGreaterThan(end - 4);
    }
    const broken = Buffer.from([0x61, 0xff, 0xc3]);
    expect(decoded('text/plain', broken, 'truncated').data).toMatchObject({ encoding: 'base64' });
    expect(decoded('text/plain', bytes.subarray(0, 3)).data).toMatchObject({ encoding: 'base64' });
  });
});
