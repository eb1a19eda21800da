/** What a variant needs is not on this machine: it is left out, and the report says why. */
export class Unavailable extends Error {
  name = 'Unavailable';
  code = 'UNAVAILABLE';
}
