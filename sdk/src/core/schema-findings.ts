/** What a schema of zod finds wrong with one member: as much of it as is told to people. */
export interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[] | undefined;
  readonly expected?: unknown;
  readonly values?: readonly unknown[] | undefined;
  readonly origin?: string | undefined;
  readonly minimum?: number | bigint | undefined;
  readonly maximum?: number | bigint | undefined;
  readonly discriminator?: string | undefined;
}

/** One thing that a form has wrong, in words. */
export interface SchemaFinding {
  /** Where, as a path of names and places. */
  readonly path: readonly PropertyKey[];
  /** The same as text, `trunks[0].role`; empty for the whole. */
  readonly member: string;
  readonly text: string;
}

/** Longest name of a member that a message repeats. */
const MAX_SHOWN_CHARS = 64;

/**
 * Says what issues of a schema mean, in words with the path of each member.
 * @param issues - of the schema
 * @param value - what was held against it
 * @returns at least one finding for each issue
 */
export function schemaFindings(issues: readonly SchemaIssue[], value: unknown): readonly SchemaFinding[] {
  return issues.flatMap((issue) => findingsOf(issue, value));
}

function findingsOf(issue: SchemaIssue, value: unknown): readonly SchemaFinding[] {
  const path = issue.path;
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) => ({
      path: [...path, key],
      member: pathText([...path, key]),
      text: `there is no member ${pathText([...path, key])}`,
    }));
  }
  const member = pathText(path);
  const name = member === '' ? 'it' : member;
  if (issue.code !== 'custom' && at(value, path) === undefined) return [{ path, member, text: `${name} is missing` }];
  return [{ path, member, text: `${name} ${demandOf(issue)}` }];
}

function demandOf(issue: SchemaIssue): string {
  // Words of the schema's own, where it has some, say more than the form.
  if (!issue.message.startsWith('Invalid') && !issue.message.startsWith('Too ')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[String(issue.expected)] ?? String(issue.expected)}`;
    case 'invalid_value':
      return `must be ${issue.values?.length === 1 ? '' : 'one of '}${(issue.values ?? []).map(String).join(', ')}`;
    case 'too_small':
      return `must ${sizeText(issue.origin, `at least ${String(issue.minimum)}`)}`;
    case 'too_big':
      return `must ${sizeText(issue.origin, `at most ${String(issue.maximum)}`)}`;
    case 'invalid_union':
      return issue.discriminator === undefined
        ? 'has none of the forms that it may have'
        : 'is none of those that there are';
    case undefined:
    default:
      return 'has not the form that it must have';
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

function sizeText(origin: string | undefined, bound: string): string {
  const isOne = bound.endsWith(' 1');
  if (origin === 'string') return `have ${bound} ${isOne ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set') return `have ${bound} ${isOne ? 'entry' : 'entries'}`;
  return `be ${bound}`;
}

function pathText(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    const shown = String(part).slice(0, MAX_SHOWN_CHARS);
    text += typeof part === 'number' ? `[${shown}]` : text === '' ? shown : `.${shown}`;
  }
  return text;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return found;
}

/** What of a schema is used here: that it says of any value whether it is in its form. */
export interface ReadingSchema<Reading> {
  readonly safeParse: (value: unknown) => Reading;
}

/**
 * Holds a value that a peer wrote against a schema of zod. zod asks whether a value is longer than it may be also where it has found that
 * it is no text and no list, and throws where what is called its length cannot be compared: `{"length":{"valueOf":1,"toString":1}}`.
 * Such a value is held against the schema once more without these members: where it was thrown at it is in no form either way.
 * @param schema - what the value should be
 * @param value - what JSON was parsed to; it is not changed
 * @returns what the schema says of it; never throws for peer input
 */
export function readBySchema<Reading>(schema: ReadingSchema<Reading>, value: unknown): Reading {
  try {
    return schema.safeParse(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return schema.safeParse(withoutOddLengths(value));
  }
}

/** A copy of what came out of JSON without the lengths that are objects; a list has its own. Works through any depth. */
function withoutOddLengths(value: unknown): unknown {
  const whole: { readonly value?: unknown } = {};
  const waiting: {
    readonly to: object;
    readonly key: string;
    readonly from: unknown;
  }[] = [{ to: whole, key: 'value', from: value }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { to, key, from } = next;
    const copy: unknown = isObject(from) ? (Array.isArray(from) ? Array.from(from, () => undefined) : {}) : from;
    // Defined, not assigned: JSON may have a member of the name __proto__.
    Object.defineProperty(to, key, { value: copy, enumerable: true, configurable: true, writable: true });
    if (!isObject(from) || !isObject(copy)) continue;
    for (const [name, member] of Object.entries(from))
      if (Array.isArray(from) || !isObject(member) || (name !== 'length' && name !== 'size'))
        waiting.push({ to: copy, key: name, from: member });
  }
  return whole.value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
