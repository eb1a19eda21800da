import { z } from 'zod';
import { nearest } from './nearest';
import { isWord } from './shown-name';

/** An object of named settings; an unknown name is refused with the valid ones. */
export function settings<Shape extends z.ZodRawShape>(
  shape: Shape,
  remedies: Readonly<Record<string, string>> = {},
): z.ZodObject<Shape, z.core.$strict> {
  const valid = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? unknownSettings(issue.keys, valid, remedies)
        : 'has to be an object of settings',
  });
}

export function unknownSettings(
  names: readonly string[],
  valid: readonly string[],
  remedies: Readonly<Record<string, string>> = {},
): string {
  const words = names.filter(isWord);
  const told = words.map((name) => {
    const shown = `"${name}"`;
    if (Object.hasOwn(remedies, name)) return `${shown} (${remedies[name]!})`;
    const near = nearest(name, valid);
    return near === undefined ? shown : `${shown} (did you mean "${near}"?)`;
  });
  const noun = words.length === 1 ? 'unknown setting' : 'unknown settings';
  const others = names
    .filter((name) => !isWord(name))
    .map((name) => `a setting whose name is no word (${name.length} characters)`);
  const all = words.length === 0 ? others : [`${noun} ${told.join(', ')}`, ...others];
  return `${all.join(', ')}. Valid: ${valid.join(', ')}`;
}

/** A whole number, also as text: that is how it comes from the environment. */
export function wholeNumber(min: number, max: number) {
  const message = `has to be a whole number from ${min} to ${max}`;
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value),
    z.int({ error: message }).min(min, message).max(max, message),
  );
}

/** True or false, also as text: that is how it comes from the environment. */
export function flag() {
  return z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean({ error: 'has to be true or false' }),
  );
}

export function text(maxLength = 1_024) {
  const message = `has to be a text of 1 to ${maxLength} characters (quote it in YAML)`;
  return z.string({ error: message }).min(1, message).max(maxLength, message);
}

/** A server's name or address, or the path of a socket. */
export function hostName() {
  return text(4_096)
    .regex(/^(\/.*|[^@]*)$/, WRONG_HOST)
    .regex(/^(?!.*:\/\/)/, WRONG_HOST);
}

const WRONG_HOST = 'has to be the name of a host alone. Give a URL as "url"';

/** A text that may be empty, as a password may. Its rules show nothing of it. */
export function secret() {
  return z.string({ error: 'has to be a text (quote it in YAML)' }).max(65_536, 'is too long');
}
