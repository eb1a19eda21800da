import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { installPacked } from '../../package/consumer';

const root = join(__dirname, '../../..');
/** What the programs use besides Recap. */
const PACKAGES = ['express'];

/** Before the suite: one program with the packed build, which every test file attacks. */
export default function packHost(): void {
  // Another build may be given to be attacked.
  if (process.env['RECAP_FAULTS_CONSUMER'] !== undefined) return;
  const consumer = installPacked();
  process.env['RECAP_FAULTS_CONSUMER'] = consumer.folder;
  process.env['RECAP_FAULTS_REMOVE'] = consumer.folder;
  for (const name of PACKAGES) {
    symlinkSync(join(root, 'node_modules', name), join(consumer.folder, 'node_modules', name), 'dir');
  }
  cpSync(join(root, 'test/faults/programs'), join(consumer.folder, 'programs'), { recursive: true });
}
