/* Starts servers with the module that it is told, and does to them what it is told, until it hears no more. */
const [, , module, settings] = process.argv;
const { start } = await import(module);
const server = await start(JSON.parse(settings));
const nodes = server.nodes ?? [server];
process.on('message', async ({ id, node, action }) => {
  await nodes[node][action]();
  process.send({ id });
});
process.on('disconnect', async () => {
  await server.stop?.();
  process.exit(0);
});
process.send({ url: server.url, version: server.version, missing: server.missing });
