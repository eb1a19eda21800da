import { mayBeDone } from './dynamo-errors';

/** Why it is not known whether a call was carried out. */
export class Unsettled {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Does not reject where the server may have carried the call out: what is there then has to tell. */
export async function orUnsettled<Outcome>(call: Promise<Outcome>): Promise<Outcome | Unsettled> {
  try {
    return await call;
  } catch (error) {
    if (!mayBeDone(error)) throw error;
    return new Unsettled(error);
  }
}
