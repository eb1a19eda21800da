// Jest gives tests a realm of their own, in which Node's own functions are no `Function`. routing-controllers asks so.
Object.defineProperty(Function, Symbol.hasInstance, { value: (value) => typeof value === 'function' });
