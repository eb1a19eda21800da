import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preparePackedFolder } from '../../scripts/packed-folder.mjs';
import { runCommand } from '../../scripts/run-command.mjs';

/*
 * Runs this folder's tests against the packed packages, with the frameworks of this folder's own lockfile, once
 * their types are checked. Arguments go to Jest; it and TypeScript are the root's. Ends with 75 when this
 * machine cannot install the frameworks.
 */

const folder = fileURLToPath(new URL('.', import.meta.url));
const rootModule = (path) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));

await preparePackedFolder(folder, 'NestJS and routing-controllers', 'about 20 seconds');
const types = [rootModule('typescript/bin/tsc'), '-p', join(folder, 'tsconfig.json')];
const checked = await runCommand(process.execPath, types, { cwd: folder });
const tests = [rootModule('jest/bin/jest.js'), '--config', join(folder, 'jest.config.cjs')];
const { code } = await runCommand(process.execPath, [...tests, ...process.argv.slice(2)], { cwd: folder });
process.exitCode = code === 0 ? checked.code : code;
