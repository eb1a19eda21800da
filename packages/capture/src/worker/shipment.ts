import { emptyOutcome, type BatchOutcome } from '../recorder/batch-processor';
import { ExchangeDecoder } from './exchange-decoder';

/** A batch that killed its worker as often is split, until the exchange that does it stands alone. */
export const MAX_DEATHS = 2;

/** A batch, or a part of one, on its way through a worker. */
export interface Shipment {
  readonly id: number;
  readonly memory: SharedArrayBuffer;
  readonly from: number;
  readonly size: number;
  readonly tellsPlaces: boolean;
  deaths: number;
  readonly resolve: (outcome: BatchOutcome) => void;
  readonly reject: (error: Error) => void;
}

/**
 * What to do with the batch at which a worker died: send it again, in two parts, or, when the exchange that does it
 * stands alone, not at all.
 *
 * @param newId makes names for parts
 */
export function afterDeath(shipment: Shipment, newId: () => number): Shipment[] {
  shipment.deaths += 1;
  if (shipment.deaths < MAX_DEATHS) return [shipment];
  if (shipment.size > 1) return split(shipment, newId);
  const error = new Error('An exchange ended the thread that was to store it, again and again.');
  const { id } = new ExchangeDecoder(shipment.memory, shipment.from).next();
  shipment.resolve({
    ...emptyOutcome(),
    poison: 1,
    failures: [{ error, where: 'worker' }],
    lost: [{ id, reason: 'poison' }],
  });
  return [];
}

function split(whole: Shipment, newId: () => number): Shipment[] {
  const { memory, from, size } = whole;
  const half = size >> 1;
  const decoder = new ExchangeDecoder(memory, from);
  for (let index = 0; index < half; index += 1) decoder.next();
  const total = emptyOutcome();
  let open = 2;
  const part = (start: number, count: number): Shipment => ({
    ...whole,
    id: newId(),
    from: start,
    size: count,
    // One more is enough: the batch it is of has had its chances.
    deaths: MAX_DEATHS - 1,
    resolve: (outcome) => {
      addTo(total, outcome);
      open -= 1;
      if (open === 0) whole.resolve(total);
    },
  });
  return [part(from, half), part(decoder.position, size - half)];
}

function addTo(total: BatchOutcome, part: BatchOutcome): void {
  total.stored += part.stored;
  total.poison += part.poison;
  total.unprepared += part.unprepared;
  total.bytesBefore += part.bytesBefore;
  total.bytesAfter += part.bytesAfter;
  total.placed.push(...part.placed);
  total.failures.push(...part.failures);
  total.lost.push(...part.lost);
}
