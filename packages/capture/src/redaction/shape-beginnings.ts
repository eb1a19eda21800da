/*
 * What every secret that has a shape begins with, or holds near its beginning. A string without any of
 * these, without `://…@` and without a card number holds no secret by shape.
 */
const BEGINNINGS: readonly string[] = [
  'eyJ',
  '-----BEGI',
  ...['AKI', 'ASI', 'ABI', 'ACC', 'AIz', 'ATATT'],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_'],
  ...['ya29.', 'GOCSPX-', 'xox', 'xapp-', 'slack.'],
  ...['k_live_', 'k_test_', 'whsec_', '_v1_', 'sk-'],
  ...['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glsoat-', 'glft-', 'glagent-', 'gloas-', 'glsa_'],
  ...['npm_', 'hf_', 'gsk_', 'pypi-', 'dckr_', 'shpat_', 'shpca_', 'shppa_', 'shpss_'],
  ...['SG.', 'hvs.', 'hvb.', 'hvr.', 'PMAK-', 'xkeysib-', 'AGE-', ':AA'],
  ...['earer ', 'EARER ', 'asic ', 'ASIC ', 'earer\t', 'asic\t'],
];

const BEGINNING = new RegExp(BEGINNINGS.map((text) => text.replace(/[.]/g, '\\.')).join('|'));

export function holdsBeginning(text: string): boolean {
  return BEGINNING.test(text);
}

/** The last characters of all beginnings. */
export const LAST_CHARACTERS: readonly number[] = [
  ...new Set(BEGINNINGS.map((text) => text.charCodeAt(text.length - 1))),
];

const BUCKETS = 4096;
const bucketOf = (first: number, second: number, third: number): number =>
  (first ^ (second << 4) ^ (third << 7)) & (BUCKETS - 1);

/** Beginnings by their last three characters; 0 is none. */
const buckets = new Uint8Array(BUCKETS);
const lists: Buffer[][] = [[]];
for (const text of BEGINNINGS) {
  const bytes = Buffer.from(text, 'latin1');
  const bucket = bucketOf(bytes.at(-3)!, bytes.at(-2)!, bytes.at(-1)!);
  if (buckets[bucket] === 0) buckets[bucket] = lists.push([]) - 1;
  lists[buckets[bucket]!]!.push(bytes);
}

/** Whether a beginning ends with the byte at `at`, which is one of {@link LAST_CHARACTERS}. */
export function endsBeginning(bytes: Uint8Array, at: number): boolean {
  const bucket = buckets[bucketOf(bytes[at - 2]!, bytes[at - 1]!, bytes[at]!)]!;
  return bucket !== 0 && isOneOf(lists[bucket]!, bytes, at);
}

function isOneOf(beginnings: readonly Uint8Array[], bytes: Uint8Array, at: number): boolean {
  return beginnings.some((beginning) => endsWith(bytes, at, beginning));
}

function endsWith(bytes: Uint8Array, at: number, beginning: Uint8Array): boolean {
  for (let back = 0; back < beginning.length; back += 1) {
    if (bytes[at - back] !== beginning[beginning.length - 1 - back]) return false;
  }
  return true;
}
