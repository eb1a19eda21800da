/** Of each subject, in one partition where there are any. */
export const ITEMS = 1_024;
export const PAGE = 100;
const BYTES = 1_024;

const TEXT =
  'The parcel left the warehouse on Monday and reached the depot in the evening; the driver could not find the entrance and has left a card. ';

/** Sorted as they are counted. */
export const KEYS = Array.from({ length: ITEMS }, (_, id) => `message:${String(id).padStart(5, '0')}`);

/** A message as chats keep them, of 1 KB as JSON; `n` counts the writes. */
export const valueOf = (id, n) => ({ ...TEMPLATES[id % ITEMS], n });

export const bytesOf = (id) => new Uint8Array(BYTES).fill(id & 0xff);

export const isBytesOf = (bytes, id) => bytes?.length === BYTES && bytes[BYTES - 1] === (id & 0xff);

const TEMPLATES = KEYS.map((key, id) => {
  const value = {
    id,
    n: 0,
    key,
    role: id % 2 === 0 ? 'user' : 'assistant',
    createdAt: new Date(1_760_000_000_000 + id * 1_000).toISOString(),
    author: { id: `user-${id % 97}`, name: `Person Number ${id % 97}`, isVerified: id % 3 === 0 },
    tags: ['support', 'delivery', `topic-${id % 13}`],
    usage: { promptTokens: 180 + id, completionTokens: 512, cost: 0.00125 * (1 + (id % 7)) },
    parts: [
      { type: 'text', text: TEXT },
      { type: 'file', name: `photo-${id}.jpg`, bytes: 184_320 + id, url: `https://example.test/files/${id}` },
    ],
    content: '',
  };
  const missing = BYTES - Buffer.byteLength(JSON.stringify(value)) - 5;
  return { ...value, content: TEXT.repeat(5).slice(0, missing) };
});
