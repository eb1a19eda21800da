import { followPromise, isFollowable } from './follow-promise';

/** Calls `work` and tells how it ends; a promise is followed until it settles. */
export function observe(
  work: () => unknown,
  onValue: (result: unknown) => void,
  onError: (error: unknown) => void,
): unknown {
  let result: unknown;
  try {
    result = work();
  } catch (error) {
    onError(error);
    throw error;
  }
  if (isFollowable(result)) return followPromise(result, onValue, onError);
  onValue(result);
  return result;
}
