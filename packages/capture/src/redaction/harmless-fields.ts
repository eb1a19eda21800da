import type { HeaderList } from '../exchange';

type Field = HeaderList[number];

const MAX_NAMES = 256;
const MAX_VALUES = 64;
const MAX_VALUE_LENGTH = 256;

/**
 * Header fields in which nothing is to be hidden. The same ones come again and again, and looking one up costs a
 * tenth of looking into it.
 */
export class HarmlessFields {
  readonly #byName = new Map<string, Map<string, Field>>();

  find(name: string, value: string): Field | undefined {
    return this.#byName.get(name)?.get(value);
  }

  add(field: Field): void {
    const [name, value] = field;
    if (value.length > MAX_VALUE_LENGTH) return;
    let values = this.#byName.get(name);
    if (values === undefined) {
      // Emptied at once when full: cheaper on every hit than keeping an order of use.
      if (this.#byName.size >= MAX_NAMES) this.#byName.clear();
      values = new Map<string, Field>();
      this.#byName.set(name, values);
    } else if (values.size >= MAX_VALUES) values.clear();
    values.set(value, field);
  }
}
