import { join } from 'node:path';
import ts from 'typescript';
import { blocksOf, markdownFiles, root, type Block } from './markdown-blocks';

jest.setTimeout(120_000);

const LANGUAGES = new Set(['ts', 'js']);
/** How blocks are marked that are whole programs: they compile by themselves. */
const WHOLE = /^(?:runnable|start \w+|frameworks)$/;
/** These need packages that only test/frameworks installs, and are compiled and started there. */
const ELSEWHERE = 'frameworks';

const blocks = markdownFiles()
  .flatMap(blocksOf)
  .filter(({ language }) => LANGUAGES.has(language));

const nameOf = (block: Block): string => `${block.file}:${block.line}`;

/** Type-checks blocks as modules of a user's program against the packages' sources; nothing is written to disk. */
function check(programs: readonly Block[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const sources = new Map(
    programs.map((block, index) => [join(root, `test/docs/block-${index}.mts`), block] as const),
  );
  const settings = { ...options, noUnusedLocals: false, noUnusedParameters: false, types: ['node'] };
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists.call(host, path);
  host.readFile = (path) => sources.get(path)?.code ?? readFile.call(host, path);
  const program = ts.createProgram([...sources.keys()], settings, host);
  return [...sources].flatMap(([path, block]) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => {
        const line = block.line + 1 + (source?.getLineAndCharacterOfPosition(start).line ?? 0);
        return `${block.file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
}

describe('the programs in the documentation', () => {
  it('are all marked as whole programs, so that none goes unchecked', () => {
    expect(blocks.filter(({ info }) => !WHOLE.test(info)).map(nameOf)).toEqual([]);
    expect(blocks.length).toBeGreaterThan(10);
  });

  it('compile against the packages', () => {
    expect(check(blocks.filter(({ info }) => info !== ELSEWHERE))).toEqual([]);
  });

  it('are found out when they name what is not there', () => {
    const wrong = { ...blocks[0]!, code: "import { noSuchThing } from '@recap/capture';\n" };
    expect(check([wrong])).toEqual([expect.stringMatching(/no exported member.*noSuchThing/)]);
  });
});
