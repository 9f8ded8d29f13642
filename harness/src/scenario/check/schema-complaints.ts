import type { Complaint } from './complaint.js';
import { suggestion } from './near-words.js';

/** What of an issue of zod is looked at. */
export interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[] | undefined;
  readonly expected?: unknown;
  readonly values?: readonly unknown[] | undefined;
  readonly options?: readonly unknown[] | undefined;
  readonly origin?: string | undefined;
  readonly minimum?: number | bigint | undefined;
  readonly maximum?: number | bigint | undefined;
  readonly inclusive?: boolean | undefined;
  readonly note?: string | undefined;
  readonly discriminator?: string | undefined;
  /** Of a union: what is wrong with each of its forms, with paths within it. */
  readonly errors?: readonly (readonly SchemaIssue[])[] | undefined;
}

/** Paths of all issues, those within unions among them. */
export function issuePaths(issues: readonly SchemaIssue[]): readonly Complaint['path'][] {
  return issues.flatMap(({ path, errors = [] }) => {
    const own = path.map((part) => (typeof part === 'number' ? part : String(part)));
    return [own, ...errors.flatMap(issuePaths).map((within) => [...own, ...within])];
  });
}

/** Says what issues of the schema mean, with what somebody may have meant. @param members - of all objects of a scenario, for suggestions */
export function schemaComplaints(
  issues: readonly SchemaIssue[],
  value: unknown,
  members: readonly string[],
): readonly Complaint[] {
  return issues.flatMap((issue): readonly Complaint[] => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code === 'unrecognized_keys') {
      return (issue.keys ?? []).map((key) => ({
        path: [...path, key],
        message: `there is no member ${key.slice(0, 64)} here${suggestion(key, members)}`,
      }));
    }
    const found = valueAt(value, path);
    if (found === undefined && issue.code !== 'custom' && path.length > 0) {
      return [{ path, message: `${String(path.at(-1))} is missing` }];
    }
    return [{ path, message: demandOf(issue, found) }];
  });
}

function demandOf(issue: SchemaIssue, found: unknown): string {
  // Words of the schema's own say more than the form.
  if (!/^(?:Invalid|Too |Unrecognized|No matching)/u.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[String(issue.expected)] ?? String(issue.expected)}${quoted(issue, found)}`;
    case 'invalid_value':
      return oneOf(issue.values ?? [], found);
    case 'too_small':
      return `must ${sizeText(issue.origin, `${issue.inclusive === false ? 'more than' : 'at least'} ${String(issue.minimum)}`)}`;
    case 'too_big':
      return `must ${sizeText(issue.origin, `at most ${String(issue.maximum)}`)}`;
    case 'invalid_union':
      return issue.options === undefined ? 'has none of the forms that it may have' : oneOf(issue.options, found);
    case undefined:
    default:
      return 'has not the form that it must have';
  }
}

/** YAML reads digits without quotes as a number. */
const quoted = ({ expected }: SchemaIssue, found: unknown): string =>
  expected === 'string' && (typeof found === 'number' || typeof found === 'boolean') ? ': put it in quotes' : '';

function oneOf(values: readonly unknown[], found: unknown): string {
  const words = values.map(String);
  const near = typeof found === 'string' ? suggestion(found, words) : '';
  const shown = typeof found === 'string' || typeof found === 'number' ? `, not ${String(found).slice(0, 64)}` : '';
  return `must be ${words.length === 1 ? '' : 'one of '}${words.join(', ')}${shown}${near}`;
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
  if (origin === 'array') return `have ${bound} ${isOne ? 'entry' : 'entries'}`;
  return `be ${bound}`;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Readonly<Record<string | number, unknown>>)[part];
  }
  return found;
}
