/** Sends requests one after the other over one connection. @returns {Promise<{ latencies: number[], failures: number }>} in ms */
export async function sendInTurn(connection, bytes, count) {
  const latencies = [];
  let failures = 0;
  for (let sent = 0; sent < count; sent += 1) {
    const startedAt = performance.now();
    const status = await new Promise((resolve) => connection.send(bytes, resolve));
    latencies.push(performance.now() - startedAt);
    if (status !== 200) failures += 1;
    if (status === 0) break;
  }
  return { latencies, failures };
}
