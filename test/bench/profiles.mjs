import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SHOWN = 15;

/** What makes a Node program write a profile of each of its threads when it ends. */
export function profilerArguments(folder, name) {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(folder, name)}`];
}

/** Where the threads of each variant spent their time by themselves, as lines; the profiles stay for other tools. */
export async function summariseProfiles(folder) {
  const lines = [];
  for (const variant of (await readdir(folder)).sort()) {
    for (const file of (await readdir(join(folder, variant))).sort()) {
      const profile = JSON.parse(await readFile(join(folder, variant, file), 'utf8'));
      lines.push('', `${variant}, ${basename(file, '.cpuprofile')}`, ...busiest(profile));
    }
  }
  return lines;
}

function busiest({ nodes, samples, timeDeltas }) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const micros = new Map();
  samples.forEach((id, index) => {
    const place = frames.get(id);
    micros.set(place, (micros.get(place) ?? 0) + timeDeltas[index]);
  });
  micros.delete('(idle)');
  const total = [...micros.values()].reduce((sum, each) => sum + each, 0);
  return [...micros]
    .sort(([, one], [, other]) => other - one)
    .slice(0, SHOWN)
    .map(([place, own]) => `  ${((own / total) * 100).toFixed(1).padStart(5)} %  ${place}`);
}

function placeOf({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  if (url === '') return name;
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  return `${name}  ${path.replace(ROOT, '')}:${lineNumber + 1}`;
}
