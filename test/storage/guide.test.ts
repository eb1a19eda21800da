import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend, CreateBackendOptions } from '@recap/storage';
import * as storage from '@recap/storage';
import ts from 'typescript';
import { describeOn } from './describe-on';

interface Guide {
  readonly createTableBackend: (options: CreateBackendOptions) => Backend;
}

/** The first program of the guide, as it is printed there. */
function guide(): Guide {
  const page = readFileSync(join(__dirname, '../../docs/guides/write-a-backend.md'), 'utf8');
  const [, source = ''] = /```ts runnable\n([\s\S]*?)```/.exec(page) ?? [];
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const exports = {};
  const run = new Function('exports', 'require', outputText) as (
    exports: object,
    require: () => unknown,
  ) => void;
  run(exports, () => storage);
  return exports as Guide;
}

describeOn({
  name: "the guide's",
  open: async (clock) => {
    const backend = guide().createTableBackend({ clock, sweepIntervalMs: 0 });
    await backend.open();
    return backend;
  },
  server: async () => `Node ${process.versions.node}`,
});
