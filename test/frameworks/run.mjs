import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packPackages, unpackInto } from '../../scripts/pack-packages.mjs';
import { endRunningCommands, runCommand } from '../../scripts/run-command.mjs';
import { installPackages } from '../../scripts/setup.mjs';

/*
 * Runs this folder's tests against the packed packages, with the frameworks of this folder's own lockfile, once
 * their types are checked. Arguments go to Jest; it and TypeScript are the root's. Ends with 75 when this
 * machine cannot install the frameworks.
 */

const folder = fileURLToPath(new URL('.', import.meta.url));
const rootModule = (path) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, endRunningCommands);

const problem = await installPackages(folder, 'NestJS and routing-controllers', 'about 20 seconds');
if (problem !== undefined) {
  console.error(problem);
  process.exit(75);
}

const scratch = mkdtempSync(join(tmpdir(), 'recap-frameworks-'));
try {
  rmSync(join(folder, 'node_modules/@recap'), { recursive: true, force: true });
  await unpackInto(join(folder, 'node_modules'), await packPackages(scratch));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const types = [rootModule('typescript/bin/tsc'), '-p', join(folder, 'tsconfig.json')];
const checked = await runCommand(process.execPath, types, { cwd: folder });
const tests = [rootModule('jest/bin/jest.js'), '--config', join(folder, 'jest.config.cjs')];
const { code } = await runCommand(process.execPath, [...tests, ...process.argv.slice(2)], { cwd: folder });
process.exitCode = code === 0 ? checked.code : code;
