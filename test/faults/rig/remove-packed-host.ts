import { rmSync } from 'node:fs';

export default function removePackedHost(): void {
  const folder = process.env['RECAP_FAULTS_REMOVE'];
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
