/** Makes a subclass put its fields on what it is given. */
function Given(this: unknown, given: object): object {
  return given;
}

/** Keeps values on objects of somebody else: no listing, comparison or proxy sees them, and nothing can clash with them. */
export interface PrivateMark<T> {
  read(carrier: object): T | undefined;
  write(carrier: object, value: T | undefined): void;
}

/** As a `WeakMap`, and quicker for objects that come and go. Another copy of this package does not see the values. */
export function privateMark<T>(): PrivateMark<T> {
  return class Mark extends (Given as unknown as new (given: object) => object) {
    #value: T | undefined;

    static read(carrier: object): T | undefined {
      return #value in carrier ? carrier.#value : undefined;
    }

    static write(carrier: object, value: T | undefined): void {
      const mark = #value in carrier ? carrier : new Mark(carrier);
      mark.#value = value;
    }
  };
}
