import fc from 'fast-check';
import { ExchangeDecoder } from '../../src/worker/exchange-decoder';
import { ExchangeEncoder } from '../../src/worker/exchange-encoder';
import type { Exchange } from '../../src/exchange';
import { arbitraryExchange, exchangeWith } from './arbitrary-exchange';

/** The JSON form of what JSON carries: keys such as `__proto__` come back as own ones, -0 as 0. */
function throughJson(exchange: Exchange): Exchange {
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  return {
    ...exchange,
    pathParameters: copy(exchange.pathParameters),
    metadata: copy(exchange.metadata),
    warnings: copy(exchange.warnings),
  };
}

describe('ExchangeEncoder', () => {
  it('writes any exchanges so that they are read back equal, in memory that grows as they need it', () => {
    fc.assert(
      fc.property(fc.array(arbitraryExchange, { minLength: 1, maxLength: 6 }), (exchanges) => {
        const encoder = new ExchangeEncoder(new SharedArrayBuffer(64));
        for (const exchange of exchanges) encoder.add(exchange);
        const decoder = new ExchangeDecoder(encoder.memory);
        for (const exchange of exchanges) expect(decoder.next()).toEqual(throughJson(exchange));
        expect(decoder.position).toBe(encoder.length);
      }),
      { numRuns: 300 },
    );
  });

  it('writes records of the spool between exchanges', () => {
    const record = { id: 'spooled', durationMs: 1.5, record: Buffer.from('what was redacted') };
    const encoder = new ExchangeEncoder(new SharedArrayBuffer(64));
    for (const queued of [record, exchangeWith({ method: 'GET' }), record]) encoder.add(queued);
    const decoder = new ExchangeDecoder(encoder.memory);
    const read = [decoder.next(), decoder.next(), decoder.next()];
    Buffer.from(encoder.memory).fill(0x78);
    expect(read).toMatchObject([record, { method: 'GET' }, record]);
    expect(decoder.position).toBe(encoder.length);
  });

  it('gives bodies that stay as they are when the memory is written again', () => {
    const exchange = exchangeWith({ method: 'GET' });
    const encoder = new ExchangeEncoder(new SharedArrayBuffer(4_096));
    const body = { bytes: Buffer.from('first'), totalBytes: 5, isTruncated: false, source: 'wire' as const };
    encoder.add({ ...exchange, request: { headers: [], body } });
    const read = new ExchangeDecoder(encoder.memory).next() as Exchange;
    Buffer.from(encoder.memory).fill(0x78);
    expect(read.request.body?.bytes?.toString()).toBe('first');
    expect(read.method).toBe('GET');
  });

  it('gives bodies as they stand in the memory to one who borrows them', () => {
    const encoder = new ExchangeEncoder(new SharedArrayBuffer(4_096));
    const body = { bytes: Buffer.from('first'), totalBytes: 5, isTruncated: false, source: 'wire' as const };
    encoder.add(exchangeWith({ request: { headers: [], body } }));
    const read = new ExchangeDecoder(encoder.memory, 0, 'lent').next() as Exchange;
    const bytes = read.request.body?.bytes;
    expect(bytes?.toString()).toBe('first');
    expect(bytes?.buffer).toBe(encoder.memory);
  });

  it('tells texts apart that begin, end and are in the middle the same', () => {
    const encoder = new ExchangeEncoder(new SharedArrayBuffer(4_096));
    const owners = ['a1b2c', 'a3b2c', 'a1b2c', 'a1b4c', ''];
    for (const owner of owners) encoder.add(exchangeWith({ owner }));
    const decoder = new ExchangeDecoder(encoder.memory);
    expect(owners.map(() => (decoder.next() as Exchange).owner)).toEqual(owners);
  });

  it('leaves nothing behind of an exchange that cannot be written', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const encoder = new ExchangeEncoder(new SharedArrayBuffer(4_096));
    expect(() => {
      encoder.add(exchangeWith({ metadata: circular }));
    }).toThrow();
    encoder.add(exchangeWith({ method: 'PUT' }));
    expect(new ExchangeDecoder(encoder.memory).next()).toMatchObject({ method: 'PUT' });
  });
});
