import { HopbackError } from '../../errors.js';
import { INTAKE_FIELD_NAMES, INTAKE_FIELDS } from './intake-fields.js';
import type { IntakeField } from './intake-fields.js';

/** Labels of the user's own, by field: they come before those of the table. */
export type IntakeLabels = Readonly<Partial<Record<IntakeField, readonly string[]>>>;

/** A label that is known. */
export interface LabelMeaning {
  readonly field: IntakeField;
  /** What stood in brackets behind it: `UTC`, `MM/DD/YYYY`, `seconds`. */
  readonly hint?: string;
}

/** Finds the field that a label stands for. */
export interface LabelIndex {
  /** Never throws. @returns undefined where nobody knows the label */
  readonly meaningOf: (label: string) => LabelMeaning | undefined;
}

/** Longest label; `Provider that received the call from you (if known)` has 50 characters. */
export const MAX_LABEL_CHARS = 64;

/** Labels of the user at most, as of the table ten times over. */
const MAX_OWN_LABELS = 4_096;

/**
 * Makes an index of all labels.
 * @param own - labels of the user's, in any spelling
 * @throws {@link HopbackError} `invalid-argument` when a label is empty, too long, or given to two fields
 */
export function labelIndex(own: IntakeLabels = {}): LabelIndex {
  const fields = new Map<string, IntakeField>();
  for (const field of INTAKE_FIELD_NAMES)
    for (const label of INTAKE_FIELDS[field].labels) fields.set(normalLabel(label), field);
  const given = new Map<string, IntakeField>();
  for (const field of INTAKE_FIELD_NAMES) {
    for (const label of own[field] ?? []) {
      const normal = normalLabel(label);
      if (normal === '' || label.length > MAX_LABEL_CHARS)
        throw new HopbackError(
          'invalid-argument',
          `A label of ${field} is empty, or longer than ${MAX_LABEL_CHARS} characters.`,
        );
      const other = given.get(normal);
      if (other !== undefined && other !== field)
        throw new HopbackError('invalid-argument', `One label is given to both ${other} and ${field}.`);
      given.set(normal, field);
    }
  }
  if (given.size > MAX_OWN_LABELS)
    throw new HopbackError('invalid-argument', `More than ${MAX_OWN_LABELS} labels are given.`);
  const fieldOf = (words: string): IntakeField | undefined => given.get(words) ?? fields.get(words);
  const meaningOf = (label: string): LabelMeaning | undefined => {
    if (label.length > MAX_LABEL_CHARS) return undefined;
    const whole = normalLabel(label);
    const [, before = '', inBrackets] = /^([^([]{1,64})[([]([^)\]]{1,40})[)\]]\s{0,4}$/.exec(label) ?? [];
    const zone = /(?:^| )(utc|gmt)(?: |$)/.exec(whole)?.[1];
    const hint = inBrackets?.trim() ?? zone;
    // `Timestamp (UTC)`, `UTC Time`: what a label says of its values is no part of it.
    const withoutZone = zone === undefined ? whole : whole.replace(zone, '').replace('  ', ' ').trim();
    const inTime = zone === undefined ? undefined : fieldOf(withoutZone);
    const field =
      fieldOf(whole) ??
      (inBrackets === undefined ? undefined : fieldOf(normalLabel(before))) ??
      (inTime !== undefined && INTAKE_FIELDS[inTime].form === 'time' ? inTime : undefined);
    return field === undefined ? undefined : { field, ...(hint === undefined ? {} : { hint }) };
  };
  return { meaningOf };
}

/** Small letters, digits and single spaces; without bullets, emphasis, articles and the words that only bind. */
export function normalLabel(label: string): string {
  const words = label
    .normalize('NFKC')
    .toLowerCase()
    .replace(/#|\bno\.|\bnum\b|\bnbr\b/g, ' number ')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ')
    .filter((word) => !BINDING_WORDS.has(word));
  return words.filter((word, at) => word !== 'number' || words[at - 1] !== 'number').join(' ');
}

/** `and` binds too, but `date and time` is written with and without it: the table has both. */
const BINDING_WORDS: ReadonlySet<string> = new Set([
  'the',
  'an',
  'of',
  'for',
  'this',
  'is',
  'was',
  'in',
  'on',
  'at',
  '',
]);
