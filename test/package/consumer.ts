import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '../..');

interface Manifest {
  exports: Record<string, unknown>;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

interface Packed {
  name: string;
  tarball: string;
  source: string;
}

/** A program outside the repository that has installed the packed packages. */
export interface Consumer {
  folder: string;
  /** Each import that the packages promise, such as `@recap/capture/koa`. */
  entryPoints: string[];
  remove(): void;
}

/**
 * Unpacks what `npm pack` makes of the built packages into a temporary program. Each package sees the dependencies
 * that its own manifest declares and no others; they are links to the repository's, so nothing is downloaded.
 */
export function installPacked(): Consumer {
  // Below the real path, since Node resolves a module by it.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'recap-package-')));
  const script = join(root, 'scripts/pack-packages.mjs');
  const packed = JSON.parse(
    execFileSync(process.execPath, [script, folder], { encoding: 'utf8' }),
  ) as Packed[];
  const entryPoints: string[] = [];
  for (const { name, tarball, source } of packed) {
    const home = join(folder, 'node_modules', name);
    mkdirSync(home, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', home]);
    const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Manifest;
    const needed = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    };
    for (const dependency of Object.keys(needed)) {
      if (!packed.some((one) => one.name === dependency))
        link(dependency, source, join(home, 'node_modules'));
    }
    const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json');
    entryPoints.push(...subpaths.map((subpath) => name + subpath.slice(1)));
  }
  link('@types/node', root, join(folder, 'node_modules'));
  return { folder, entryPoints, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** An optional peer that the repository does not have either stays absent. */
function link(dependency: string, source: string, nodeModules: string): void {
  const places = [join(source, 'node_modules', dependency), join(root, 'node_modules', dependency)];
  const place = places.find((path) => existsSync(path));
  if (place === undefined) return;
  const target = join(nodeModules, dependency);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(realpathSync(place), target, 'dir');
}
