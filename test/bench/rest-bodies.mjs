/** A seeded source of numbers from 0 up to 1 (mulberry32), so that runs can be compared. */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const FIRST =
  'Ada Bo Cleo Dara Ekon Fay Gus Hana Ilse Jun Kai Lea Mio Noor Ola Pia Quin Rafa Suri Tove'.split(' ');
const LAST = 'Abe Borg Chen Diaz Eide Fofana Garcia Haddad Ito Jansen Kaya Lund Mbeki Novak Okafor'.split(
  ' ',
);
const THINGS = 'lamp chair desk mug cable stand frame shelf clock rug vase bowl hook tray rack'.split(' ');
const STATES = ['pending', 'paid', 'shipped', 'delivered', 'returned'];

/** JSON bodies as REST endpoints send them: lists of records whose values differ from one to the next. */
export class RestBodies {
  #random;

  constructor(seed) {
    this.#random = randomNumbers(seed);
  }

  /** About `bytes` bytes of JSON, each time with other values. */
  next(bytes) {
    const items = [];
    const body = { page: this.#whole(40), total: this.#whole(5_000), items };
    while (JSON.stringify(body).length < bytes) items.push(this.#record());
    return JSON.stringify(body);
  }

  #record() {
    return {
      id: this.uuid(),
      status: this.#oneOf(STATES),
      customer: { name: `${this.#oneOf(FIRST)} ${this.#oneOf(LAST)}`, email: `${this.#hex(6)}@example.test` },
      product: `${this.#oneOf(THINGS)} ${this.#oneOf(THINGS)}`,
      quantity: 1 + this.#whole(9),
      price: Math.round(this.#random() * 100_000) / 100,
      createdAt: new Date(1_700_000_000_000 + this.#whole(30_000_000) * 1000).toISOString(),
    };
  }

  uuid() {
    return `${this.#hex(8)}-${this.#hex(4)}-4${this.#hex(3)}-a${this.#hex(3)}-${this.#hex(12)}`;
  }

  #hex(length) {
    let text = '';
    while (text.length < length) text += this.#whole(16).toString(16);
    return text;
  }

  #whole(below) {
    return Math.floor(this.#random() * below);
  }

  #oneOf(list) {
    return list[this.#whole(list.length)];
  }
}
