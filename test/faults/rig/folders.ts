import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes empty folders that are gone after the test file. */
export function newFolders(): () => string {
  const parent = mkdtempSync(join(tmpdir(), 'recap-faults-'));
  let made = 0;
  afterAll(() => rmSync(parent, { recursive: true, force: true }));
  return () => {
    made += 1;
    const folder = join(parent, String(made));
    mkdirSync(folder);
    return folder;
  };
}
