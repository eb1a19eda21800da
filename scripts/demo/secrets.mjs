import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const random = (length) => randomBytes(length).toString('hex');

/** What the traffic carries and no file may hold, by where it travels. New in every run, but for the card numbers. */
export function plantSecrets() {
  return {
    "ann's password": `pw-${random(9)}`,
    "bob's password": `pw-${random(9)}`,
    'an API key in a query string': random(16),
    'a session cookie': random(16),
    "a service's key in a chat": `sk-proj-${random(20)}`,
    'a card number in a form': '5500005555555559',
    'a card number in a note': '4111 1111 1111 1111',
    "the warehouse's password in an error": `wh${random(9)}`,
  };
}

/**
 * Looks for words in a folder's files, byte by byte.
 *
 * @param {string} folder
 * @param {string[]} words
 * @returns {{ files: { name: string, bytes: number }[], found: string[] }} the words that are there.
 */
export function searchFiles(folder, words) {
  const files = readdirSync(folder).map((name) => ({ name, content: readFileSync(join(folder, name)) }));
  return {
    files: files.map(({ name, content }) => ({ name, bytes: content.length })),
    found: words.filter((word) =>
      files.some(({ content }) => formsOf(word).some((form) => content.includes(form))),
    ),
  };
}

export function searchText(text, words) {
  return words.filter((word) => formsOf(word).some((form) => text.includes(form)));
}

/** A secret may have been written down in another form than it was sent in. */
function formsOf(word) {
  const base64 = Buffer.from(word).toString('base64').replace(/=+$/, '');
  return [...new Set([word, encodeURIComponent(word), word.replaceAll(' ', ''), base64])];
}
