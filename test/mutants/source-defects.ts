import ts from 'typescript';

/** One small defect of a source file, switched on by its number. */
export interface SourceDefect {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  /** The text as it is, and as it is with the defect. */
  readonly text: string;
  readonly becomes: string;
}

/** A place where a defect can be planted. */
export interface DefectPlace {
  readonly start: number;
  readonly end: number;
  readonly becomes: string;
  /** A statement is left out, an expression is replaced. */
  readonly isStatement: boolean;
}

const OPPOSITES: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&'],
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
]);

/** Lists where defects can be planted: comparisons, conditions, arithmetic, numbers, booleans, and calls whose value is not used. */
export function defectPlaces(file: string, text: string): readonly DefectPlace[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const places: DefectPlace[] = [];
  const add = (node: ts.Node, becomes: string, isStatement = false): void => {
    places.push({ start: node.getStart(source), end: node.getEnd(), becomes, isStatement });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isBinaryExpression(node)) {
      const opposite = OPPOSITES.get(node.operatorToken.kind);
      if (opposite !== undefined) add(node, `${node.left.getText(source)} ${opposite} ${node.right.getText(source)}`);
    } else if (ts.isIfStatement(node)) {
      add(node.expression, `!(${node.expression.getText(source)})`);
    } else if (ts.isConditionalExpression(node)) {
      add(node.condition, `!(${node.condition.getText(source)})`);
    } else if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
      add(node, node.kind === ts.SyntaxKind.TrueKeyword ? 'false' : 'true');
    } else if (ts.isNumericLiteral(node) && !isName(node)) {
      add(node, `${node.getText(source)} + 1`);
    } else if (ts.isExpressionStatement(node) && isUnusedCall(node.expression)) {
      add(node, '', true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return places;
}

/** The name of a member, as in `{ 5: 'five' }`. */
const isName = (node: ts.NumericLiteral): boolean =>
  (ts.isPropertyAssignment(node.parent) || ts.isPropertySignature(node.parent)) && node.parent.name === node;

function isUnusedCall(expression: ts.Expression): boolean {
  const called = ts.isAwaitExpression(expression) ? expression.expression : expression;
  return ts.isCallExpression(called) && called.expression.kind !== ts.SyntaxKind.SuperKeyword;
}

/** Tells whether the defect of a number is on, and keeps what was asked for. */
const SWITCH =
  'const __planted: any = ((globalThis as any).__hopbackPlanted ??= ((on: number, reached: Set<number>) => Object.assign((id: number) => { reached.add(id); return id === on; }, { reached }))(Number(process.env.HOPBACK_DEFECT ?? -1), new Set<number>()));';

/** Writes defects into a source text, all of them switched off. */
export function plantDefects(text: string, places: readonly (DefectPlace & { readonly id: number })[]): string {
  let planted = text;
  for (const { id, start, end, becomes, isStatement } of places.toSorted((one, other) => other.start - one.start)) {
    const before = planted.slice(start, end);
    const switched = isStatement
      ? `if (!__planted(${String(id)})) { ${before} }`
      : `(__planted(${String(id)}) ? (${becomes}) : (${before}))`;
    planted = `${planted.slice(0, start)}${switched}${planted.slice(end)}`;
  }
  return `${SWITCH} ${planted}`;
}
