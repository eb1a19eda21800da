// One variant of the measured program, in a process of its own: `node server.mjs <JSON of its settings>`. It sends
// { port } when it listens, or { problem }, and answers 'settle', 'open' and 'finish', one at a time.
import { Unavailable } from '../recorders/unavailable.mjs';
import { Account } from './account.mjs';

const FRAMEWORKS = { express: './express.mjs', koa: './koa.mjs', nest: '../peers/nest.mjs' };

const settings = JSON.parse(process.argv[2]);
const account = new Account();
// Whoever measures is gone.
process.on('disconnect', () => process.exit(1));

const asks = {
  settle: async (started) => {
    await started.recorder.settle?.();
    return { settled: true };
  },
  open: async (started) => {
    await started.recorder.settle?.();
    account.open();
    return { opened: true };
  },
  finish: async ({ recorder, server }) => {
    server.closeAllConnections();
    // Exchanges whose connection was cut by the load's end are over once the server has closed.
    await new Promise((resolve) => server.close(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await recorder.settle?.();
    const used = account.read();
    const { arrived, answered } = account;
    return { ...used, arrived, answered, ...(await recorder.finish()) };
  },
};

try {
  const started = await start();
  process.on('message', (ask) => {
    asks[ask](started).then((answer) => process.send(answer), tell);
  });
} catch (error) {
  tell(missingPeer(error) ?? error);
}

async function start() {
  const load = (path) => import(new URL(path, import.meta.url));
  const { start: startRecorder } = await load(`../${settings.recorder}`);
  const recorder = await startRecorder(settings);
  const { createProgram } = await load(FRAMEWORKS[settings.framework]);
  const mounts = { ...recorder, before: recorder.before ?? [], after: recorder.after ?? [] };
  const server = await createProgram(mounts, () => (account.answered += 1));
  // A connection waits while other programs are measured.
  server.keepAliveTimeout = 120_000;
  server.on('request', () => (account.arrived += 1));
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  return { recorder, server };
}

/** Peers may be left out; a package of Recap's own that is missing is an error. */
function missingPeer(error) {
  const isPeer = settings.framework === 'nest' || settings.recorder.startsWith('./peers/');
  const [, name] = (isPeer && /^Cannot find package '([^']+)'/.exec(error.message)) || [];
  return name && new Unavailable(`the package ${name} could not be installed`);
}

function tell(error) {
  process.send({ problem: { code: error.code, message: error.message, stack: error.stack } });
}
