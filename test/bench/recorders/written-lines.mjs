import { createReadStream } from 'node:fs';

/** How often `mark` stands in a file; by default, how many lines it has. */
export async function countInFile(path, mark = '\n') {
  let count = 0;
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8')) {
    const parts = (rest + chunk).split(mark);
    count += parts.length - 1;
    // Of a mark of one character nothing can be cut.
    rest = mark.length === 1 ? '' : parts.at(-1).slice(1 - mark.length);
  }
  return count;
}
