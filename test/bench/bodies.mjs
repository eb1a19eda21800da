/** Stands in a body where the load puts another number into each request, so that no two are alike. */
export const SERIAL = '10000000';

/** A JSON list as REST endpoints answer it, of about `bytes` bytes. */
export function listBody(bytes) {
  const items = [];
  const make = (index) => ({
    id: 1000 + index,
    name: `Item number ${index}`,
    tags: ['alpha', 'beta'],
    price: 19.5 + index,
    available: index % 2 === 0,
    author: { login: `user${index}`, url: `https://example.test/users/${index}` },
  });
  const text = () => JSON.stringify({ serial: Number(SERIAL), items });
  while (text().length < bytes) items.push(make(items.length));
  return text();
}
