import { join } from 'node:path';
import ts from 'typescript';
import { root } from './markdown-blocks';

/** Members of exported types, as the compiler knows them: properties of an interface, values of a union. */
export class Types {
  readonly #program: ts.Program;

  constructor(files: readonly string[]) {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
      config: unknown;
    };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    this.#program = ts.createProgram([...files], options);
  }

  properties(file: string, name: string): string[] {
    return this.#typeOf(file, name)
      .getProperties()
      .map((property) => property.getName())
      .sort();
  }

  values(file: string, name: string): string[] {
    const type = this.#typeOf(file, name);
    return (type.isUnion() ? type.types : [type]).map((part) => (part as ts.StringLiteralType).value).sort();
  }

  #typeOf(file: string, name: string): ts.Type {
    const checker = this.#program.getTypeChecker();
    const source = this.#program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    const symbol = module && checker.getExportsOfModule(module).find((each) => each.getName() === name);
    if (symbol === undefined) throw new Error(`${file} exports no ${name}`);
    return checker.getDeclaredTypeOfSymbol(symbol);
  }
}
