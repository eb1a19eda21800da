/** What may come next. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/**
 * Where a text stops being JSON (RFC 8259), or `undefined` when it is JSON. `JSON.parse` says so in some versions of
 * Node only, and quotes the text.
 */
export function jsonErrorOffset(text: string): number | undefined {
  /** True: an object; false: an array. */
  const open: boolean[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const take = (token: RegExp): boolean => {
    token.lastIndex = at;
    const [found] = token.exec(text) ?? [];
    at += found?.length ?? 0;
    return found !== undefined;
  };
  for (;;) {
    take(SPACE);
    if (at === text.length) return expected === 'nothing' ? undefined : at;
    const character = text[at];
    const endsHere: boolean =
      expected === 'value or end' || expected === 'key or end' || expected === 'comma or end';
    if (endsHere && character === (open.at(-1) === true ? '}' : ']')) {
      open.pop();
      at += 1;
      expected = afterValue(open);
    } else if (expected === 'comma or end' && character === ',') {
      at += 1;
      expected = open.at(-1) === true ? 'key' : 'value';
    } else if (expected === 'colon' && character === ':') {
      at += 1;
      expected = 'value';
    } else if (expected === 'key' || expected === 'key or end') {
      if (!take(STRING)) return at;
      expected = 'colon';
    } else if (expected === 'value' || expected === 'value or end') {
      if (character === '{' || character === '[') {
        open.push(character === '{');
        at += 1;
        expected = character === '{' ? 'key or end' : 'value or end';
      } else if (take(STRING) || take(SCALAR)) expected = afterValue(open);
      else return at;
    } else return at;
  }
}

function afterValue(open: readonly boolean[]): Expected {
  return open.length === 0 ? 'nothing' : 'comma or end';
}
