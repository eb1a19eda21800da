import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolders } from './build.mjs';
import { runCommand } from './run-command.mjs';

/**
 * Packs every package as it would be published, from what is built now.
 *
 * @param {string} folder where the tarballs go
 * @returns {Promise<{ name: string, tarball: string, source: string }[]>}
 * @throws {Error} with npm's output when packing fails.
 */
export async function packPackages(folder) {
  const packed = [];
  for (const source of packageFolders()) {
    const { name, version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
    await must('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], source);
    packed.push({
      name,
      source,
      tarball: join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`),
    });
  }
  return packed;
}

/**
 * Unpacks tarballs to where Node looks for their packages.
 *
 * @param {{ name: string, tarball: string }[]} packed
 * @param {string} nodeModules
 */
export async function unpackInto(nodeModules, packed) {
  for (const { name, tarball } of packed) {
    const target = join(nodeModules, name);
    mkdirSync(target, { recursive: true });
    await must('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  }
}

async function must(command, args, cwd) {
  const { code, output } = await runCommand(command, args, { cwd, quiet: true, limitMinutes: 2 });
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${output}`);
}

// node scripts/pack-packages.mjs <folder>: prints what was packed, as JSON.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await packPackages(process.argv[2])));
}
