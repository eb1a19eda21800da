const TOKEN = /"(?:[^"\\]|\\.)*"(?:\s*:)?|[^"]+/g;
const LOOKED_AT_BYTES = 8_192;
const isName = (token) => token.startsWith('"') && token.endsWith(':');
const isStructure = (token) => !token.startsWith('"') && !/[0-9a-z]{3}/i.test(token);

/**
 * What other bodies of an endpoint teach, in at most `maxBytes`: whole ones, or only tokens that half of them share:
 * all such, or names and what stands between values.
 *
 * @param {'whole' | 'shared' | 'names'} kind
 */
export function learnDictionary(samples, kind, maxBytes) {
  if (kind === 'whole') return Buffer.concat(samples).subarray(-maxBytes);
  const texts = samples.map((sample) => sample.toString('latin1', 0, LOOKED_AT_BYTES).match(TOKEN) ?? []);
  const seen = new Map();
  for (const tokens of texts)
    for (const token of new Set(tokens)) seen.set(token, (seen.get(token) ?? 0) + 1);
  const needed = Math.max(2, Math.ceil(texts.length / 2));
  const isTaken = (token) =>
    seen.get(token) >= needed && (kind === 'shared' || isName(token) || isStructure(token));
  const runs = new Set();
  for (const tokens of texts) {
    let run = '';
    const end = () => {
      if (run.length > 3) runs.add(run);
      run = '';
    };
    for (const token of tokens) {
      if (isTaken(token)) {
        run += token;
        continue;
      }
      // The quotes of a string that is left out stay.
      if (token.startsWith('"')) run += '"';
      end();
      if (token.startsWith('"')) run = '"';
    }
    end();
  }
  return Buffer.from([...runs].join('').slice(-maxBytes) || ' ', 'latin1');
}
