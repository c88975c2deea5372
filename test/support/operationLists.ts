import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { controlMethods, type ControlMethod } from '../../daemon/protocol/methods.ts';
import { repeatableTools } from '../../daemon/protocol/agentStream.ts';

const methods: ReadonlySet<string> = new Set<string>(controlMethods);
const tools: ReadonlySet<string> = new Set(repeatableTools);

/**
 * Where a file lists operations by hand: three of them as texts of one array or of one union of types, or four as names of
 * one object or interface.
 *
 * @param isImplementation an object whose values are functions is the operations themselves there
 */
export function operationLists(file: string, isImplementation: boolean): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const note = (node: ts.Node, names: readonly (string | undefined)[], atLeast: number): void => {
    const listed = names.filter((name): name is ControlMethod => name !== undefined && isKnown(name));
    if (listed.length < atLeast) return;
    const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
    found.push(`${file}:${line + 1} lists ${listed.join(', ')}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isArrayLiteralExpression(node)) note(node, node.elements.map(textOf), 3);
    if (ts.isUnionTypeNode(node)) note(node, node.types.map(literalOf), 3);
    if (ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node)) note(node, node.members.map(nameOf), 4);
    if (ts.isObjectLiteralExpression(node)) {
      const listed = isImplementation ? node.properties.filter((property) => !isFunction(property)) : node.properties;
      note(node, [...listed].map(nameOf), 4);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isKnown(name: string): boolean {
  return methods.has(name) || tools.has(name);
}

function textOf(node: ts.Node): string | undefined {
  return ts.isStringLiteral(node) ? node.text : undefined;
}

function literalOf(node: ts.TypeNode): string | undefined {
  return ts.isLiteralTypeNode(node) ? textOf(node.literal) : undefined;
}

function nameOf({ name }: { name?: ts.Node }): string | undefined {
  return name && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? name.text : undefined;
}

function isFunction(property: ts.ObjectLiteralElementLike): boolean {
  if (ts.isMethodDeclaration(property)) return true;
  if (!ts.isPropertyAssignment(property)) return false;
  const { initializer } = property;
  // One that another part implements is named there.
  return ts.isArrowFunction(initializer) || ts.isPropertyAccessExpression(initializer) || ts.isIdentifier(initializer);
}
