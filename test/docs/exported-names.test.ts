import { join } from 'node:path';
import ts from 'typescript';
import { root } from './markdown-blocks';

jest.setTimeout(60_000);

const SOURCES = join(root, 'packages/storage/src');

/** Types of the package that an exported declaration names, but that no program can import. */
function unexported(entryPoints: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram(entryPoints, options);
  const checker = program.getTypeChecker();
  const resolved = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const exported = new Set(
    entryPoints.flatMap((file) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
      return checker.getExportsOfModule(module).map(resolved);
    }),
  );
  const found = new Set<string>();
  const visit = (node: ts.Node, owner: ts.Symbol): void => {
    if (ts.isBlock(node) || isPrivate(node)) return;
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const symbol = checker.getSymbolAtLocation(
        ts.isTypeReferenceNode(node) ? node.typeName : node.expression,
      );
      const type = symbol && resolved(symbol);
      const isOurs = type?.declarations?.some(
        (each) =>
          each.getSourceFile().fileName.startsWith(SOURCES) &&
          ts.isSourceFile(each.parent) &&
          // A generic alias is an abbreviation, and nothing to name.
          !(ts.isTypeAliasDeclaration(each) && each.typeParameters),
      );
      if (isOurs && !exported.has(type!)) found.add(`${owner.name}: ${type!.name}`);
    }
    node.forEachChild((child) => visit(child, owner));
  };
  for (const symbol of exported)
    for (const declaration of symbol.declarations ?? [])
      declaration.forEachChild((child) => visit(child, symbol));
  return [...found].sort();
}

/** What a declaration file leaves out. */
function isPrivate(node: ts.Node): boolean {
  if (ts.isPropertyDeclaration(node) || ts.isMethodDeclaration(node))
    return ts.isPrivateIdentifier(node.name);
  return false;
}

describe('@recap/storage', () => {
  it('exports every type that an exported one names', () => {
    const entryPoints = ['index.ts', 'testing/index.ts'].map((name) => join(SOURCES, name));
    expect(unexported(entryPoints)).toEqual([]);
  });
});
