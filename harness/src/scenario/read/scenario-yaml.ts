import type { Document, Node, Scalar } from 'yaml';
import { isAlias, isMap, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { MAX_YAML_ALIASES } from '../scenario.js';

/** A scenario has eight levels. Parsers go down one level of the stack for each, and a process whose stack is full may end. */
const MAX_BRACKETS = 64;
/** Columns that a line may be indented, lists within lists on one line counted in. */
const MAX_INDENT = 200;

/**
 * Finds out, before anything is parsed, whether a text is nested deeper than a person would write: by brackets that are open, in texts too, and by how
 * far lines are indented. Linear.
 * @returns offset of where it goes too deep; absent: nowhere
 */
function tooDeepAt(text: string): number | undefined {
  let open = 0;
  let indent = 0;
  let isIndent = true;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\n' || char === '\r') {
      isIndent = true;
      indent = 0;
      continue;
    }
    if (isIndent && ' \t-?:'.includes(char)) indent += 1;
    else isIndent = false;
    if (char === '[' || char === '{') open += 1;
    else if ((char === ']' || char === '}') && open > 0) open -= 1;
    if (open > MAX_BRACKETS || indent > MAX_INDENT) return at;
  }
  return undefined;
}

/** Where something stands in a file, from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Something that is wrong with the text itself. */
export interface TextFault extends TextPlace {
  readonly message: string;
}

/** A file whose values may still be changed, and which knows where each stands. */
export type ScenarioYaml = ReturnType<typeof yamlOf>;

/** Reads YAML, of which JSON is a part, with the rules of YAML 1.2. Names may not be there twice. Never throws. */
export function readYaml(text: string): ScenarioYaml | readonly TextFault[] {
  const deep = tooDeepAt(text);
  if (deep !== undefined) {
    const before = text.slice(0, deep).split('\n');
    return [
      { message: 'is nested too deeply for a scenario', line: before.length, column: (before.at(-1)?.length ?? 0) + 1 },
    ];
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false, merge: false });
  // What the library only warns of, such as a tag that nobody knows, would quietly be something else.
  const troubles = [...document.errors, ...document.warnings, ...namesTwice(document)];
  const at = (offset: number): TextPlace => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (troubles.length > 0) return troubles.map(({ pos, message }) => ({ message, ...at(pos[0]) }));
  return yamlOf(document, at);
}

type Path = readonly (string | number)[];

function yamlOf(document: Document, at: (offset: number) => TextPlace) {
  return {
    /** Every value that is not a list or an object, keys apart. */
    scalars: () => scalarsOf(document).map((scalar) => ({ scalar, place: at(scalar.range?.[0] ?? 0) })),
    /** All of it as plain values; absent where aliases stand for more than a person would write. */
    content: () => contentOf(document),
    /** The value at a path, where it is no list and no object. Aliases are followed. */
    scalarAt: (path: Path): Scalar | undefined => {
      const { node } = follow(document, path) ?? {};
      return isScalar(node) ? node : undefined;
    },
    /** The place of a member, or of the nearest one above it that is written. */
    placeOf: (path: Path): TextPlace => {
      for (let length = path.length; length >= 0; length -= 1) {
        const offset = follow(document, path.slice(0, length))?.offset;
        if (offset !== undefined) return at(offset);
      }
      return { line: 1, column: 1 };
    },
  };
}

/** Names that an object has twice. The library looks for them too, but compares each name with each. */
function namesTwice(document: Document): readonly { readonly pos: readonly [number]; readonly message: string }[] {
  const found: { readonly pos: readonly [number]; readonly message: string }[] = [];
  visit(document, {
    Map: (_key, map) => {
      const names = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (names.has(name)) found.push({ pos: [startOf(key) ?? 0], message: `${name.slice(0, 64)} is there twice` });
        names.add(name);
      }
    },
  });
  return found;
}

function scalarsOf(document: Document): readonly Scalar[] {
  const found: Scalar[] = [];
  visit(document, {
    Scalar: (key, scalar) => {
      if (key !== 'key') found.push(scalar);
    },
  });
  return found;
}

function contentOf(document: Document): { readonly value: unknown } | undefined {
  let aliases = 0;
  visit(document, { Alias: () => void (aliases += 1) });
  if (aliases > MAX_YAML_ALIASES) return undefined;
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch {
    return undefined;
  }
}

/** What is at a path, and where: a member where its name stands, an entry of a list where its value does. Aliases are followed to what they stand for. */
function follow(
  document: Document,
  path: readonly (string | number)[],
): { readonly node: unknown; readonly offset: number } | undefined {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      offset = startOf(pair?.key);
      node = pair?.value;
    } else {
      node = itemOf(node, part);
      offset = startOf(node);
    }
    if (isAlias(node)) node = node.resolve(document);
    if (offset === undefined) return undefined;
  }
  return offset === undefined ? undefined : { node, offset };
}

const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0];

const itemOf = (node: unknown, part: string | number): unknown =>
  (node as { readonly items?: readonly unknown[] } | null | undefined)?.items?.[Number(part)];
