export async function start() {
  return { before: [], after: [], finish: async () => ({ stored: 0 }) };
}
