import { openSubject as openMap } from './raw-memory.mjs';

/** Keeps only three writes of four, and says that it kept all. */
export async function openSubject() {
  const inner = await openMap();
  let writes = 0;
  return {
    ...inner,
    set: async (id, value) => {
      writes += 1;
      // All are there when the measurement begins.
      if (value.n === 0 || writes % 4 !== 0) await inner.set(id, value);
    },
  };
}
