import type { z } from 'zod';
import { HopbackError } from '../errors.js';

/** Members that are named in one message: who has mistaken the whole form is helped by the first few. */
const MOST_NAMED = 5;
/** Longest name of a member that a message repeats. */
const MAX_SHOWN_CHARS = 64;

/**
 * What a configuration has wrong, in words with the path of each member.
 * @param what - what is configured: `the source`
 * @param result - what the schema found
 * @returns an error with the code `invalid-configuration` and the first member in `details.member`
 */
export function configurationError(
  what: string,
  { error, value }: { readonly error: z.ZodError; readonly value: unknown },
): HopbackError {
  const findings = error.issues.flatMap((issue) => findingsOf(issue, value));
  const shown = findings.slice(0, MOST_NAMED).map(({ text }) => text);
  const more = findings.length > shown.length ? `; and ${String(findings.length - shown.length)} more` : '';
  return new HopbackError('invalid-configuration', `${what}: ${shown.join('; ')}${more}`, {
    details: { member: findings[0]?.member ?? '' },
  });
}

interface Finding {
  readonly member: string;
  readonly text: string;
}

function findingsOf(issue: z.core.$ZodIssue, value: unknown): readonly Finding[] {
  const path = issue.path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      member: pathText([...path, key]),
      text: `there is no member ${pathText([...path, key])}`,
    }));
  }
  const member = pathText(path);
  const name = member === '' ? 'it' : member;
  if (issue.code !== 'custom' && at(value, path) === undefined) return [{ member, text: `${name} is missing` }];
  return [{ member, text: `${name} ${demandOf(issue)}` }];
}

function demandOf(issue: z.core.$ZodIssue): string {
  // Words of the schema's own, where it has some, say more than the form.
  if (!issue.message.startsWith('Invalid') && !issue.message.startsWith('Too ')) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${sizeText(issue.origin, `at least ${String(issue.minimum)}`)}`;
    case 'too_big':
      return `must ${sizeText(issue.origin, `at most ${String(issue.maximum)}`)}`;
    case 'invalid_union':
      return issue.discriminator === undefined
        ? 'has none of the forms that it may have'
        : 'is none of those that there are';
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

function sizeText(origin: string, bound: string): string {
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
