import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(__dirname, '../..');

/** A fenced block of a Markdown file. */
export interface Block {
  /** Relative to the repository. */
  readonly file: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** What follows the language on the opening fence, such as `request POST /storage/query`. */
  readonly info: string;
  readonly code: string;
}

/** The documentation: the READMEs and everything under `docs/`, relative to the repository. */
export function markdownFiles(): string[] {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  const readmes = ['README.md', 'packages/capture/README.md', 'packages/storage/README.md'];
  return [...readmes.filter((name) => existsSync(join(root, name))), ...pages.sort()];
}

export function readMarkdown(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

export function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; language: string; info: string; code: string[] } | undefined;
  readMarkdown(file)
    .split('\n')
    .forEach((text, index) => {
      const fence = /^```(\S*)\s*(.*)$/.exec(text);
      if (fence === null) open?.code.push(text);
      else if (open === undefined) {
        open = { line: index + 1, language: fence[1] ?? '', info: (fence[2] ?? '').trim(), code: [] };
      } else {
        blocks.push({ file, ...open, code: `${open.code.join('\n')}\n` });
        open = undefined;
      }
    });
  if (open !== undefined) throw new Error(`${file}:${open.line}: a block that does not end`);
  return blocks;
}

/** Headings in order, without their marks. */
export function headingsOf(file: string, level: number): string[] {
  return withoutBlocks(readMarkdown(file))
    .filter((line) => line.startsWith(`${'#'.repeat(level)} `))
    .map((line) => line.slice(level + 1).trim());
}

/** The lines that are no part of a fenced block. */
export function withoutBlocks(markdown: string): string[] {
  let isInside = false;
  return markdown.split('\n').filter((line) => {
    if (line.startsWith('```')) {
      isInside = !isInside;
      return false;
    }
    return !isInside;
  });
}

/** First cells of the tables under one heading of level two, without backquotes. */
export function firstCells(file: string, heading: string): string[] {
  const lines = withoutBlocks(readMarkdown(file));
  const start = lines.indexOf(`## ${heading}`);
  if (start === -1) throw new Error(`${file} has no heading "${heading}"`);
  const section = lines.slice(start + 1);
  const end = section.findIndex((line) => line.startsWith('## '));
  return section
    .slice(0, end === -1 ? undefined : end)
    .map((line) => /^\| `([^`]+)`/.exec(line)?.[1])
    .filter((cell) => cell !== undefined);
}
