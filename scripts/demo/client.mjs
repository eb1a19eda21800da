/**
 * Asks the storage router of the running program.
 *
 * @param {string} url of the program
 * @param {string} token bearer token of who asks
 */
export function storageClient(url, token) {
  async function ask(method, path, body) {
    const response = await fetch(`${url}/storage${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, answer: await response.json() };
  }

  /** @throws {Error} when the router does not answer with what was asked for */
  async function data(method, path, body) {
    const { status, answer } = await ask(method, path, body);
    if (status === 200) return answer.data;
    throw new Error(
      `${method} /storage${path} answered ${status}: ${JSON.stringify(answer.error ?? answer)}`,
    );
  }

  return {
    status: async (path) => (await ask('GET', path)).status,
    query: (filters) => data('POST', '/query', filters),
    entry: (id) => data('GET', `/entries/${id}`),
    sessions: () => data('GET', '/sessions'),
    stats: () => data('GET', '/stats'),
    /** Every entry, whatever the number of pages. */
    async everything() {
      const items = [];
      let cursor;
      do {
        const page = await data('POST', '/query', {
          page_size: 100,
          include_data: false,
          ...(cursor && { cursor }),
        });
        items.push(...page.items);
        cursor = page.has_more ? page.cursor : undefined;
      } while (cursor);
      return items;
    },
  };
}
