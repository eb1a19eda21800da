/*
 * No AI: sentences from a fixed list, chosen by a sum over the question, so that the same question always gets
 * the same answer and the demo needs neither network nor key.
 */

/** What the answers say they come from. */
export const MODEL = 'fixed-sentences-1';

const openings = [
  'That depends on what you want to find out first.',
  'There are two ways to look at it, and both are worth a minute.',
  'Start with what the client sent, then look at what it got.',
];

const middles = [
  'A recording shows the exchange as it was, which a log line written by hand does not.',
  'Compare the slowest answer with the median one before you change anything.',
  'Errors come in groups, so read the entries of one session in their order.',
  'The same question at another time of day often behaves differently.',
  'Look at the size of the bodies: what is large is slow to send and slow to parse.',
  'A status alone says little; the body of the answer usually says why.',
];

const endings = [
  'Then ask again with what you have learned.',
  'Keep the id of the entry, so that others can look at the same thing.',
  'If that does not help, widen the time range and repeat the query.',
];

/**
 * @param {{ role: string, content: string }[]} messages the conversation so far; its last message is answered
 * @returns {string} 4 to 7 sentences
 */
export function generate(messages) {
  const question = String(messages.at(-1)?.content ?? '');
  let sum = 7;
  for (const character of question) sum = (sum * 31 + character.codePointAt(0)) % 1_000_003;
  const count = 2 + (sum % 4);
  const chosen = Array.from({ length: count }, (_, index) => middles[(sum + index) % middles.length]);
  return [openings[sum % openings.length], ...chosen, endings[sum % endings.length]].join(' ');
}

/** Words stand in for tokens. */
export function countWords(text) {
  return String(text).split(/\s+/).filter(Boolean).length;
}
