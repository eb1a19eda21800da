/** A request as a documented curl line makes it. */
export interface CurlRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/**
 * Reads a curl line as a shell would split it: the options that the documentation uses, and no others, so
 * that tests need no curl. Variables are taken from `variables`.
 */
export function parseCurl(line: string, variables: Readonly<Record<string, string>> = {}): CurlRequest {
  const [program, ...words] = shellWords(line.replace(/\\\n\s*/g, ' '), variables);
  if (program !== 'curl') throw new Error(`Not a curl line: ${line}`);
  const headers: Record<string, string> = {};
  let method: string | undefined;
  let body: string | undefined;
  let url: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const value = (): string => words[(at += 1)] ?? '';
    if (word === '-s') continue;
    else if (word === '-X') method = value();
    else if (word === '-d') body = value();
    else if (word === '-H') {
      const [, name = '', text = ''] = /^([^:]+):\s*(.*)$/.exec(value()) ?? [];
      headers[name.toLowerCase()] = text;
    } else if (word.startsWith('-')) throw new Error(`curl ${word} is not known here: ${line}`);
    else url = word.includes('://') ? word : `http://${word}`;
  }
  if (url === undefined) throw new Error(`No address: ${line}`);
  return { method: method ?? (body === undefined ? 'GET' : 'POST'), url, headers, body };
}

function shellWords(line: string, variables: Readonly<Record<string, string>>): string[] {
  const words: string[] = [];
  for (const [word] of line.trim().matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
    words.push(
      word.replace(/'([^']*)'|"([^"]*)"|\$(\w+)/g, (_, single?: string, double?: string, name?: string) => {
        if (single !== undefined) return single;
        if (double !== undefined) return double.replace(/\$(\w+)/g, (__, inner: string) => get(inner));
        return get(name ?? '');
      }),
    );
  }
  return words;

  function get(name: string): string {
    const value = variables[name];
    if (value === undefined) throw new Error(`$${name} has no value: ${line}`);
    return value;
  }
}
