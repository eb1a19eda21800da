import fc from 'fast-check';
import { parseInstant } from '../../src/router/instants';

const DAY = 86_400_000;

describe('parseInstant', () => {
  it('reads a bare date as its midnight in UTC, as an end as the end of that day', () => {
    expect(parseInstant('2026-11-20', 'start')).toBe(Date.UTC(2026, 10, 20));
    expect(parseInstant('2026-11-20', 'end')).toBe(Date.UTC(2026, 10, 21));
  });

  // Keeps away: an explicit midnight widened to the end of its day, so that it cannot be said.
  it('leaves an explicit midnight what it is', () => {
    expect(parseInstant('2026-11-20T00:00:00Z', 'end')).toBe(Date.UTC(2026, 10, 20));
    expect(parseInstant('2026-11-20T00:00:00.000Z', 'end')).toBe(Date.UTC(2026, 10, 20));
  });

  // Keeps away: a Z put behind whatever does not end in one, which makes an offset invalid.
  it.each([
    ['2026-11-20T12:00:00+02:00', Date.UTC(2026, 10, 20, 10)],
    ['2026-11-20T12:00:00-0530', Date.UTC(2026, 10, 20, 17, 30)],
    ['2026-11-20T12:00:00', Date.UTC(2026, 10, 20, 12)],
    ['2026-11-20T12:00Z', Date.UTC(2026, 10, 20, 12)],
    ['2026-11-20t12:00:00z', Date.UTC(2026, 10, 20, 12)],
    ['2026-11-20T12:00:00.5Z', Date.UTC(2026, 10, 20, 12) + 500],
    ['2026-11-20T12:00:00.570Z', Date.UTC(2026, 10, 20, 12) + 570],
    ['2026-11-20T12:00:00.0001Z', Date.UTC(2026, 10, 20, 12) + 1],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['9999-12-31T23:59:59Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
  ])('reads %s', (text, at) => {
    expect(parseInstant(text, 'start')).toBe(at);
  });

  it.each([
    '',
    'yesterday',
    '2026-02-29',
    '2026-02-30T00:00:00Z',
    '2026-13-01',
    '2026-00-10',
    '2026-11-20T24:00:00Z',
    '2026-11-20T12:60:00Z',
    '2026-11-20T12:00:61Z',
    '2026-11-20T12:00:00+25:00',
    '2026-11-20T12:00:00 02:00',
    '2026-11-20 12:00:00',
    '20261120',
    '1700000000000',
    '2026-11-20T12:00:00.Z',
    ' 2026-11-20',
    '2026-11-20\n',
    '+002026-11-20',
  ])('refuses %j', (text) => {
    expect(parseInstant(text, 'start')).toBeUndefined();
  });

  it('reads back every instant that is written in UTC', () => {
    const instant = fc.date({
      min: new Date(0),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instant, (date) => {
        expect(parseInstant(date.toISOString(), 'end')).toBe(date.getTime());
        const day = date.toISOString().slice(0, 10);
        const start = parseInstant(day, 'start') ?? NaN;
        expect(start <= date.getTime() && date.getTime() < start + DAY).toBe(true);
      }),
    );
  });
});
