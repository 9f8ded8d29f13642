import ts from 'typescript';

/** One breach of purity: where, and what to do instead. */
export interface Impurity {
  readonly line: number;
  readonly message: string;
}

/** What a pure file may ask of `Date`: arithmetic on instants it was given. */
const PURE_DATE_MEMBERS = new Set(['UTC', 'parse']);
/** What a pure file may ask of `AbortSignal`: signals without a timer behind them. */
const PURE_SIGNAL_MEMBERS = new Set(['abort', 'any']);
/** Of node:crypto: what gives the same answer to the same question, and signing. Everything else makes keys or random bytes. */
const PURE_CRYPTO = new Set([
  ...[
    'createHash',
    'createHmac',
    'createPrivateKey',
    'createPublicKey',
    'createSecretKey',
    'createSign',
    'createVerify',
    'hash',
  ],
  ...['KeyObject', 'sign', 'timingSafeEqual', 'verify', 'X509Certificate'],
]);
/** Globals with a socket, a thread, a timer or the machine behind them, beside those that the linter knows. */
const IMPURE_GLOBALS = new Set([
  ...['Atomics', 'BroadcastChannel', 'EventSource', 'MessageChannel', 'SharedArrayBuffer', 'WebSocket', 'Worker'],
  ...['XMLHttpRequest', 'caches', 'localStorage', 'navigator', 'require', 'sessionStorage', 'WebAssembly'],
]);
/** What fills up over time when it stands at the top of a module. */
const CONTAINERS = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Array']);
/** A declared type that lets it be filled; under another name it is taken for read-only, which the compiler then holds. */
const MUTABLE_TYPE = /^(?:Map|Set|WeakMap|WeakSet|Array)<|^(?!readonly ).*\[\]$/;

/**
 * Finds in a pure file what the linter has no rule for: the clock behind `new Date()`, modules loaded at run time, and
 * state that outlives a call. Works on the syntax alone.
 * @param path - for its extension
 * @param text - the file's source
 */
export function impurities(path: string, text: string): readonly Impurity[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Impurity[] = [];
  const report = (node: ts.Node, message: string): void => {
    found.push({ line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, message });
  };
  const visit = (node: ts.Node): void => {
    const message = clockOrDiceIn(node) ?? globalIn(node) ?? randomnessIn(node) ?? loadingIn(node);
    if (message !== undefined) report(node, message);
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement) && isState(statement)) {
      report(statement, 'state at the top of a module: let a createX() own it');
    }
  }
  return found;
}

function clockOrDiceIn(node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node) || isTypePosition(node) || isMemberName(node)) return undefined;
  if (node.text === 'Math' && !isDotted(node.parent, node)) return 'Math as a value: name the member';
  if (node.text !== 'Date') return undefined;
  const { parent } = node;
  if (ts.isNewExpression(parent) && parent.expression === node) {
    return (parent.arguments?.length ?? 0) === 0 ? 'new Date() reads the clock: take a Clock' : undefined;
  }
  if (isDotted(parent, node)) {
    return PURE_DATE_MEMBERS.has(parent.name.text)
      ? undefined
      : `Date.${parent.name.text} reads the clock: take a Clock`;
  }
  return ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword
    ? undefined
    : 'Date as a value: new Date(instant), Date.UTC and Date.parse are what a pure file may use';
}

function globalIn(node: ts.Node): string | undefined {
  if (!ts.isIdentifier(node) || isTypePosition(node) || isMemberName(node) || isDeclaration(node)) return undefined;
  if (IMPURE_GLOBALS.has(node.text)) return `${node.text}: sockets, threads and the machine belong to an IO shell`;
  if (node.text !== 'AbortSignal') return undefined;
  const { parent } = node;
  if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword) return undefined;
  return isDotted(parent, node) && PURE_SIGNAL_MEMBERS.has(parent.name.text)
    ? undefined
    : 'AbortSignal with a timer: timers belong to an IO shell';
}

/** Default-deny: a list of what is random would always lack the newest way to it. */
function randomnessIn(node: ts.Node): string | undefined {
  if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) return undefined;
  const clause = node.importClause;
  if (!/^(?:node:)?crypto$/.test(node.moduleSpecifier.text) || clause === undefined) return undefined;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return undefined;
  const { namedBindings } = clause;
  if (clause.name !== undefined || namedBindings === undefined || ts.isNamespaceImport(namedBindings)) {
    return 'node:crypto as a whole has randomness in it: import the functions by name';
  }
  const names = namedBindings.elements
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .map(({ name, propertyName }) => (propertyName ?? name).text);
  const refused = names.filter((name) => !PURE_CRYPTO.has(name));
  return refused.length === 0
    ? undefined
    : `${refused.join(', ')} of node:crypto: randomness and new keys are arguments`;
}

function isDeclaration(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent)) && parent.name === node
  );
}

function loadingIn(node: ts.Node): string | undefined {
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return 'import() loads code at run time: that belongs to an IO shell';
  }
  return ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword
    ? 'import.meta tells where the file lies: that belongs to an IO shell'
    : undefined;
}

function isState(statement: ts.VariableStatement): boolean {
  if (statement.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.DeclareKeyword)) return false;
  if ((statement.declarationList.flags & ts.NodeFlags.Const) === 0) return true;
  return statement.declarationList.declarations.some(
    ({ initializer, type }) =>
      initializer !== undefined &&
      isEmptyContainer(initializer) &&
      (type === undefined || MUTABLE_TYPE.test(type.getText())),
  );
}

/** A container that starts empty is there to be filled; one made with its contents is a table. */
function isEmptyContainer(node: ts.Expression): boolean {
  if (ts.isArrayLiteralExpression(node)) return node.elements.length === 0;
  if (!ts.isNewExpression(node) || !ts.isIdentifier(node.expression)) return false;
  return CONTAINERS.has(node.expression.text) && (node.arguments?.length ?? 0) === 0;
}

function isDotted(parent: ts.Node, node: ts.Node): parent is ts.PropertyAccessExpression {
  return ts.isPropertyAccessExpression(parent) && parent.expression === node;
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) &&
    parent.name === node
  );
}

function isTypePosition(node: ts.Identifier): boolean {
  return ts.isTypeReferenceNode(node.parent) || ts.isQualifiedName(node.parent) || ts.isImportSpecifier(node.parent);
}
