/**
 * Results in the order of the inputs, with at most `width` of them under way at once. After one has failed none begins, and
 * it rejects when all that had begun have ended.
 */
export async function inParallel<Input, Output>(
  inputs: readonly Input[],
  width: number,
  work: (input: Input, place: number) => Promise<Output>,
): Promise<Output[]> {
  const outputs = new Array<Output>(inputs.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < inputs.length) {
      const place = next;
      next += 1;
      try {
        outputs[place] = await work(inputs[place]!, place);
      } catch (error) {
        next = inputs.length;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(width, inputs.length) }, lane));
  for (const each of lanes) if (each.status === 'rejected') throw each.reason;
  return outputs;
}
