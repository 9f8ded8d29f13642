import { MAX_FAULTS } from '../scenario.js';

/** Something in a scenario that makes no sense, and where. */
export interface Complaint {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Row of the CSV file, where it is in that; from 0, without the first line and comments. */
  readonly csvRow?: number;
}

/** Longer words are no typing errors. */
const MAX_WORD_CHARS = 48;

/**
 * What somebody may have meant by a word that is not known, as the end of a sentence.
 * @param word - as written
 * @param known - what there is; of more than 5,000 none is looked at
 * @returns ` Did you mean a or b?`, or nothing where no word is near
 */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearWords(word, known);
  return near.length === 0 ? '' : `. Did you mean ${near.join(' or ')}?`;
}

/** Known words within two letters (added, missing, changed, swapped) or a third of the length, or that begin with the word; at most three, nearest first. */
function nearWords(word: string, known: readonly string[]): readonly string[] {
  const typed = word.toLowerCase();
  if (typed === '' || typed.length > MAX_WORD_CHARS || known.length > 5_000) return [];
  const limit = Math.max(1, Math.min(2, Math.floor(typed.length / 3)));
  const near = known.flatMap((candidate) => {
    if (candidate.length > MAX_WORD_CHARS || candidate === word) return [];
    const lower = candidate.toLowerCase();
    const apart = lower.startsWith(typed) ? 0 : editsBetween(typed, lower);
    return apart <= limit ? [{ candidate, apart }] : [];
  });
  return near
    .toSorted((a, b) => a.apart - b.apart)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Optimal string alignment: edits of one letter, a swap of neighbours counted as one. */
function editsBetween(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          (last[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (last[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwap ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** What of an issue of zod is looked at. */
interface SchemaIssue {
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
  return issues.slice(0, MAX_FAULTS).flatMap((issue): readonly Complaint[] => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code === 'unrecognized_keys') {
      // Words are compared with all that there are: not for more than are told.
      return (issue.keys ?? []).slice(0, MAX_FAULTS).map((key) => ({
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
      return issue.options === undefined ? 'does not have any of the allowed forms' : oneOf(issue.options, found);
    case undefined:
    default:
      return 'does not have the required form';
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
