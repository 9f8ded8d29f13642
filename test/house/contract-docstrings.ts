import ts from 'typescript';
import type { JsonObject } from '../../sdk/src/core/json-text.js';
import { describeSchema, type SchemaPlace } from '../../sdk/src/platform/contract/describe-schema.js';
import { PLATFORM_EVENT_KINDS } from '../../sdk/src/platform/contract/event-table.js';
import { ROOT } from './run.js';

// What the docstrings of the interfaces say, brought to the places of the schemas that are held to them: the OpenAPI document tells in
// its descriptions what a member means, and nobody writes it twice.

const ENTRIES = ['sdk/src/platform/index.ts', 'sdk/src/traceback/index.ts'].map((path) => `${ROOT}${path}`);

/**
 * Docstrings by place.
 * @param schemas - of the bodies by name, without descriptions
 * @returns text by place, the parts of which stand with `/` between
 */
export function contractDocstrings(schemas: Readonly<Record<string, JsonObject>>): Readonly<Record<string, string>> {
  const program = ts.createProgram(ENTRIES, {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    types: ['node'],
  });
  const reader = docstringReader(program);
  const found: Record<string, string> = {};
  for (const [name, schema] of Object.entries(schemas))
    describeSchema(schema, [name], (place) => {
      const text = reader(place);
      if (text !== '') found[place.join('/')] ??= text;
      return undefined;
    });
  return found;
}

function docstringReader(program: ts.Program): (place: SchemaPlace) => string {
  const checker = program.getTypeChecker();
  const exported = new Map<string, ts.Symbol>();
  for (const entry of ENTRIES) {
    const file = program.getSourceFile(entry);
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
    for (const symbol of module === undefined ? [] : checker.getExportsOfModule(module)) {
      const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
      exported.set(symbol.name, isAlias ? checker.getAliasedSymbol(symbol) : symbol);
    }
  }
  return (place) => docstringAt(place, { checker, exported });
}

interface Words {
  readonly checker: ts.TypeChecker;
  readonly exported: ReadonlyMap<string, ts.Symbol>;
}

/** A type on the way to a place, and what is said of it there. */
interface Step {
  readonly type: ts.Type;
  readonly text: string;
}

function docstringAt([name, ...steps]: SchemaPlace, words: Words): string {
  let at = rootOf(name, words);
  for (const step of steps) at = at === undefined ? undefined : nextOf(at.type, step, words);
  return at?.text ?? '';
}

function rootOf(name: string, words: Words): Step | undefined {
  const { checker, exported } = words;
  const event = Object.entries(PLATFORM_EVENT_KINDS).find(([, kind]) => kind.name === name);
  if (event !== undefined) {
    const { summary, description } = event[1];
    const type = formsOf(declaredType('PlatformEvent', words)).find(
      (form) => wordOf(form, 'type', checker) === event[0],
    );
    return type === undefined ? undefined : { type, text: `${summary}. ${description}` };
  }
  const bodies = exported.get('WireBodies');
  const body = bodies === undefined ? undefined : checker.getDeclaredTypeOfSymbol(bodies).getProperty(name);
  const type = body === undefined ? declaredType(name, words) : checker.getTypeOfSymbol(body);
  const own = type?.aliasSymbol ?? type?.symbol;
  return type === undefined ? undefined : { type, text: own === undefined ? '' : textOf(own, checker) };
}

function declaredType(name: string, { checker, exported }: Words): ts.Type | undefined {
  const symbol = exported.get(name);
  return symbol === undefined ? undefined : checker.getDeclaredTypeOfSymbol(symbol);
}

function nextOf(type: ts.Type, step: string, { checker }: Words): Step | undefined {
  const forms = formsOf(type);
  if (step === '*') {
    const element = forms.map((form) => checker.getIndexTypeOfType(form, ts.IndexKind.Number)).find(Boolean);
    return element === undefined ? undefined : { type: element, text: '' };
  }
  if (step.startsWith('|')) {
    const form = forms.find((one) => TELLING.some((member) => wordOf(one, member, checker) === step.slice(1)));
    return form === undefined ? undefined : { type: form, text: formText(type, step.slice(1)) };
  }
  const members = forms.map((form) => form.getProperty(step)).filter((member) => member !== undefined);
  const [member] = members;
  if (member === undefined) return undefined;
  const text = members.map((one) => memberText(one, checker)).find((one) => one !== '') ?? '';
  return { type: checker.getTypeOfSymbol(member), text };
}

const TELLING = ['arm', 'kind', 'decision', 'shown'];

function formsOf(type: ts.Type | undefined): readonly ts.Type[] {
  const forms = type === undefined ? [] : type.isUnion() ? type.types : [type];
  return forms.filter(({ flags }) => (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)) === 0);
}

function wordOf(type: ts.Type, member: string, checker: ts.TypeChecker): string | undefined {
  const symbol = type.getProperty(member);
  const word = symbol === undefined ? undefined : checker.getTypeOfSymbol(symbol);
  return word?.isStringLiteral() === true ? word.value : undefined;
}

/** What is said of a member, and behind it what is said of the words that it can hold. */
function memberText(member: ts.Symbol, checker: ts.TypeChecker): string {
  const declaration = member.declarations?.find(ts.isPropertySignature);
  const named =
    declaration?.type !== undefined && ts.isTypeReferenceNode(declaration.type) ? declaration.type : undefined;
  const symbol = named === undefined ? undefined : checker.getSymbolAtLocation(named.typeName);
  const meant =
    symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol;
  const isWords =
    meant?.declarations?.some((one) => ts.isTypeAliasDeclaration(one) && ts.isUnionTypeNode(one.type)) === true;
  const words = meant === undefined || !isWords ? '' : textOf(meant, checker);
  return [textOf(member, checker), words].filter((text) => text !== '').join('\n\n');
}

function textOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const own = plain(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
  const see = symbol
    .getJsDocTags(checker)
    .filter(({ name }) => name === 'see')
    .map(({ text }) => `See ${plain(ts.displayPartsToString(text))}.`);
  return [own, ...see, wordList(symbol)].filter((text) => text !== '').join('\n\n');
}

/** The words of a union, where each has a comment of its own. */
function wordList(symbol: ts.Symbol): string {
  const lines = unionForms(symbol).flatMap(({ node, comment }) => {
    const word = ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal) ? node.literal.text : undefined;
    return word === undefined || comment === '' ? [] : [`- \`${word}\`: ${comment}`];
  });
  return lines.join('\n');
}

function formText(type: ts.Type, word: string): string {
  if (type.aliasSymbol === undefined) return '';
  const forms = unionForms(type.aliasSymbol);
  return forms.find(({ node }) => node.getText().includes(`'${word}'`))?.comment ?? '';
}

/** The forms of a union with the comment before each. */
function unionForms(symbol: ts.Symbol): readonly { readonly node: ts.TypeNode; readonly comment: string }[] {
  const union = symbol.declarations?.find(ts.isTypeAliasDeclaration)?.type;
  if (union === undefined || !ts.isUnionTypeNode(union)) return [];
  const { text } = union.getSourceFile();
  return union.types.map((node, index) => {
    const before = text.slice(union.types[index - 1]?.end ?? union.pos, node.getStart());
    const comment = /\/\*\*([^]*?)\*\//.exec(before)?.[1] ?? '';
    return { node, comment: plain(comment.replace(/^\s*\* ?/gm, '')) };
  });
}

/** Without the marks of docstrings, and in lines as long as the text wants. */
function plain(text: string): string {
  return text
    .replace(/\{@link\s+(?:[\w.]{1,100}\.)?(\w+)[^}]*\}/g, '`$1`')
    .replace(/(?<!\n)\n(?![\n-])/g, ' ')
    .trim();
}
