import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prefixesOf } from './layouts.mjs';
import { NodeProcess } from './node-process.mjs';
import { profilerArguments } from './profiles.mjs';
import { VARIANTS } from './variants.mjs';

/** One program of a variant, with all that it needs, from its start to the account of what it stored. */
export class Program {
  static async start(name, scenario, databases) {
    const variant = VARIANTS[name];
    const { server: prefix, load } = prefixesOf(scenario.layout);
    const program = new Program(name, variant, load);
    try {
      program.folder = await mkdtemp(join(tmpdir(), 'recap-bench-'));
      if (variant.database === 'postgres') program.database = await databases.create();
      if (variant.needsSink) await program.#startSink(load);
      const settings = {
        framework: scenario.framework,
        folder: program.folder,
        recorder: variant.recorder,
        settings: variant.settings,
        database: variant.database,
        databaseUrl: program.database?.url,
        sinkUrl: program.sinkUrl,
      };
      const environment = {
        NODE_ENV: 'production',
        // Some peers leave files there.
        TMPDIR: program.folder,
        ...(program.sinkUrl && sinkEnvironment(program.sinkUrl)),
      };
      const nodeArguments = profilerArguments(scenario.profileFolder, name);
      const more = { environment, nodeArguments };
      program.isProfiled = nodeArguments.length > 0;
      program.server = new NodeProcess(name, prefix, './server/server.mjs', settings, more);
      program.port = (await program.server.answer()).port;
      return program;
    } catch (error) {
      await program.end();
      throw error;
    }
  }

  constructor(name, variant, loadPrefix) {
    this.name = name;
    this.variant = variant;
    this.loadPrefix = loadPrefix;
  }

  /** Ends the load's part, and proves that what was answered is accounted for. */
  async finish() {
    const end = await this.server.ask('finish');
    if (this.sink) end.stored = (await this.sink.ask('count')).stored;
    if (this.isProfiled) await this.server.release();
    return { ...end, ...account(this.name, this.variant, end) };
  }

  async end() {
    await this.server?.stop();
    await this.sink?.stop();
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
    await this.database?.drop();
  }

  async #startSink(prefix) {
    this.sink = new NodeProcess('the sink', prefix, './peers/sink.mjs', { kind: this.name });
    this.sinkUrl = `http://127.0.0.1:${(await this.sink.answer()).port}`;
  }
}

/** Where a peer is told by its environment; a proxy would be another way out. */
function sinkEnvironment(url) {
  return { APITALLY_HUB_BASE_URL: url, NO_PROXY: '*', no_proxy: '*' };
}

/**
 * What became of the exchanges that were answered. A variant that has to keep all of them fails where some are
 * neither stored nor counted as shed, and where more are stored than ever came.
 */
export function account(name, { keepsAll }, { arrived, answered, stored, shed = 0, withoutBodies = 0 }) {
  const lost = Math.max(0, answered - stored - shed);
  const tell = `${answered} answered, ${stored} stored, ${shed} shed`;
  if (keepsAll && lost > 0) throw new Error(`${name}: ${lost} exchanges are lost: ${tell}`);
  if (keepsAll && stored + shed > arrived) throw new Error(`${name}: more is stored than came: ${tell}`);
  return { shed, lost, withoutBodies };
}
