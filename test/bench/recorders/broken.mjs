/** Recorders for the test that the benchmark notices: every fourth exchange is lost, counted as shed, or stored often. */
export async function start({ settings }) {
  const { kind } = settings;
  let seen = 0;
  let stored = 0;
  let shed = 0;
  const middleware = (_request, _response, next) => {
    seen += 1;
    if (seen % 4 > 0) stored += 1;
    else if (kind === 'doubling') stored += 5;
    else if (kind === 'shedding') shed += 1;
    next();
  };
  return { before: [middleware], finish: async () => ({ stored, shed }) };
}
