// One subject of the benchmark in a process of its own: opens it, fills it, and measures what it is asked for.
import { quantile } from '../figures.mjs';
import { run } from './callers.mjs';
import { fill, OPERATIONS } from './operations.mjs';

const [, , argument] = process.argv;
const { module, kind, place } = JSON.parse(argument);
const warm = new Set();
let subject;

const tell = (answer) => process.send(answer);
const refuse = ({ code, message, stack }) => tell({ problem: { code, message, stack } });

process.on('message', (question) => {
  measure(question).then(tell, refuse);
});
process.on('disconnect', () => {
  subject?.close().catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
open().then(tell, refuse);

async function open() {
  const { openSubject } = await import(module);
  subject = await openSubject(kind, place);
  await fill(subject);
  return { operations: Object.keys(OPERATIONS).filter((name) => subject[name] !== undefined) };
}

async function measure({ operation, callers, ms, warmMs, isQuick }) {
  const { of, check, most = Infinity, isLong = false } = OPERATIONS[operation];
  const name = `${operation} ${callers}`;
  const measured = async (length) => {
    const written = new Map();
    const cpuBefore = process.cpuUsage();
    const options = { callers, ms: length, most, isQuick: isQuick && !isLong };
    const found = await run(of(subject, callers, written), options);
    const { user, system } = process.cpuUsage(cpuBefore);
    await check?.(subject, written);
    return { ...found, cpuMicros: (user + system) / found.operations };
  };
  if (!warm.has(name)) await measured(warmMs);
  warm.add(name);
  const { latencies, ...figures } = await measured(ms);
  return { ...figures, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}
