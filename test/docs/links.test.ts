import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { markdownFiles, readMarkdown, root, withoutBlocks } from './markdown-blocks';

interface Link {
  readonly place: string;
  readonly file: string;
  readonly target: string;
}

const files = [...markdownFiles(), 'CONTRIBUTING.md', 'CHANGELOG.md'];

function linksOf(file: string): Link[] {
  return withoutBlocks(readMarkdown(file)).flatMap((line) =>
    [...line.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ place: file, file, target })),
  );
}

/** A heading's anchor, as GitHub makes it. */
function anchor(heading: string): string {
  return heading
    .replace(/[`*]/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(file: string): Set<string> {
  const headings = withoutBlocks(readMarkdown(file)).filter((line) => /^#{1,6} /.test(line));
  return new Set(headings.map((line) => anchor(line.replace(/^#+ /, ''))));
}

function isBroken({ file, target }: Link): boolean {
  const [path = '', heading] = target.split('#');
  const aim = path === '' ? file : normalize(join(dirname(file), path));
  if (!existsSync(join(root, aim))) return true;
  return heading !== undefined && !anchorsOf(aim).has(heading);
}

describe('the links in the documentation', () => {
  const links = files.flatMap(linksOf).filter(({ target }) => !/^[a-z]+:/.test(target));

  it('lead to pages and headings that are there', () => {
    expect(links.filter(isBroken).map(({ place, target }) => `${place} → ${target}`)).toEqual([]);
    expect(links.length).toBeGreaterThan(30);
  });

  it('lead to every page', () => {
    const linked = new Set(
      links.map(({ file, target }) => normalize(join(dirname(file), target.split('#')[0] ?? ''))),
    );
    const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name));
    expect(pages.filter((page) => !linked.has(page))).toEqual([]);
  });
});
