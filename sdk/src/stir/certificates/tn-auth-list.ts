import type { CanonicalTn, Spc } from '../../core/telephone-number.js';
import type { TnAuthEntry } from './certificate.js';
import { DER_TAG, derChildren, derCursor, derExplicit, derIa5Text, derInteger, MalformedDer } from './der.js';
import type { DerElement } from './der.js';

/**
 * Most entries of a TNAuthList. Providers have one SPC; a delegate certificate has some ranges. Beyond that, an x5u body of 16 KiB
 * could hold thousands of entries, each of which costs far more memory than its bytes and has to be compared with those of every CA.
 */
export const TN_AUTH_LIST_MAX_ENTRIES = 512;

/** Service Provider Codes as the field assigns them: OCNs and the like; the RFC itself sets no bound, the URL and log formats around it do. */
const SPC = /^[0-9A-Z]{1,15}$/;

/** @see RFC 8226 section 9 (TelephoneNumber) */
const TELEPHONE_NUMBER = /^[0-9#*]{1,15}$/;

const DIGITS = /^[0-9]+$/;

/**
 * Reads the value of a TNAuthList extension. Its tags are all explicit, and nothing may be left over: in a list of authorities a
 * surplus element would hide an authority from us that others see.
 * @see RFC 8226 section 9
 */
export function readTnAuthList(list: DerElement): readonly TnAuthEntry[] {
  const entries = derChildren(list, TN_AUTH_LIST_MAX_ENTRIES);
  if (entries.length === 0) throw new MalformedDer('TNAuthList without an entry');
  return entries.map(readEntry);
}

/**
 * Whether every authority of `child` lies within `parent`, as a delegate certificate's must.
 * An SPC entry of the parent stands for all numbers of that provider: which ones those are no certificate says, so that any numbers
 * of the child are let pass below it, but no other SPC. A child range may span several adjoining ranges of the parent. Never throws.
 * @see RFC 9060 section 4.1, RFC 8226 section 9
 */
export function encompasses(parent: readonly TnAuthEntry[], child: readonly TnAuthEntry[]): boolean {
  return authorityEncompasses(mergeAuthority(parent), child);
}

/** A TNAuthList made ready to have others compared with it. */
export interface MergedAuthority {
  readonly spcs: ReadonlySet<Spc>;
  readonly numbers: NumberSet;
}

/** Sorts and joins a TNAuthList once, for a certificate that several others are compared with. */
export function mergeAuthority(list: readonly TnAuthEntry[]): MergedAuthority {
  return {
    spcs: new Set(list.flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []))),
    numbers: mergeIntervals(list),
  };
}

/** As {@link encompasses}, with a parent that was made ready before. */
export function authorityEncompasses({ spcs, numbers }: MergedAuthority, child: readonly TnAuthEntry[]): boolean {
  return child.every((entry) => {
    if (entry.kind === 'spc') return spcs.has(entry.spc);
    return spcs.size > 0 || isWithin(numbers, entry);
  });
}

/**
 * Whether a telephone number is named by a TNAuthList, alone or in a range. SPC entries name no numbers: a caller that accepts
 * them asks for them apart. Never throws.
 * @see RFC 8226 section 9
 */
export function tnAuthListCovers(list: readonly TnAuthEntry[], tn: CanonicalTn): boolean {
  return list.some((entry) => {
    if (entry.kind === 'spc') return false;
    if (entry.kind === 'one') return entry.tn === tn;
    if (tn.length !== entry.start.length || !DIGITS.test(tn) || !DIGITS.test(entry.start)) return tn === entry.start;
    const { first, last } = interval(entry);
    return Number(tn) >= first && Number(tn) <= last;
  });
}

/** Most entries that are spelled out in a text; a certificate can hold hundreds. */
const TEXT_MAX_ENTRIES = 8;

/** For people, at most eight entries spelled out. Telephone numbers stand there in full: not for logs. */
export function tnAuthListText(list: readonly TnAuthEntry[]): string {
  const texts = list.slice(0, TEXT_MAX_ENTRIES).map((entry) => {
    if (entry.kind === 'spc') return `spc ${entry.spc}`;
    return entry.kind === 'one' ? entry.tn : `${entry.start} and the ${entry.count - 1} after it`;
  });
  return list.length > TEXT_MAX_ENTRIES
    ? `${texts.join(', ')} and ${list.length - TEXT_MAX_ENTRIES} more`
    : texts.join(', ');
}

/** Identifier octets of the entries: `[0]` SPC, `[1]` range, `[2]` one number. */
const ENTRY_TAG = { spc: 0xa0, range: 0xa1, one: 0xa2 } as const;

function readEntry(entry: DerElement): TnAuthEntry {
  switch (entry.tag) {
    case ENTRY_TAG.spc: {
      const spc = derIa5Text(derExplicit(entry, DER_TAG.ia5String));
      if (!SPC.test(spc)) throw new MalformedDer('SPC that is not 1 to 15 of 0-9A-Z');
      return { kind: 'spc', spc };
    }
    case ENTRY_TAG.range:
      return readRange(derExplicit(entry, DER_TAG.sequence));
    case ENTRY_TAG.one:
      return { kind: 'one', tn: readTelephoneNumber(derIa5Text(derExplicit(entry, DER_TAG.ia5String))) };
    default:
      throw new MalformedDer('TNAuthList entry of an unknown kind');
  }
}

function readRange(element: DerElement): TnAuthEntry {
  const cursor = derCursor(element);
  const start = readTelephoneNumber(derIa5Text(cursor.take(DER_TAG.ia5String)));
  const count = derInteger(cursor.take(DER_TAG.integer));
  cursor.end();
  if (count < 2n) throw new MalformedDer('telephone number range with a count under 2');
  // Numbers have at most 15 digits: a count beyond 2^53 covers no more than 2^53 does.
  return { kind: 'range', start, count: Math.min(Number(count), Number.MAX_SAFE_INTEGER) };
}

function readTelephoneNumber(text: string): string {
  if (!TELEPHONE_NUMBER.test(text)) throw new MalformedDer('telephone number that is not 1 to 15 of 0-9#*');
  return text;
}

type NumberEntry = Exclude<TnAuthEntry, { kind: 'spc' }>;

/** Both ends belong to it. Fifteen digits are exact in a number. */
interface Interval {
  readonly first: number;
  readonly last: number;
}

/** Numbers of an all-digit entry. The number of digits stays: 99 + 2 is not 100, which is another, longer number. */
function interval(entry: NumberEntry): Interval {
  const start = entry.kind === 'one' ? entry.tn : entry.start;
  const first = Number(start);
  const ceiling = 10 ** start.length - 1;
  // A sum that is too large to be exact is far above the ceiling.
  const end = first + (entry.kind === 'one' ? 1 : entry.count) - 1;
  return { first, last: Math.min(end, ceiling) };
}

/** The parent's numbers per length, as sorted intervals that neither touch nor overlap; entries with `#` or `*` by their text. */
interface NumberSet {
  readonly byLength: ReadonlyMap<number, readonly Interval[]>;
  readonly exact: ReadonlySet<string>;
}

function mergeIntervals(entries: readonly TnAuthEntry[]): NumberSet {
  const exact = new Set<string>();
  const lists = new Map<number, Interval[]>();
  for (const entry of entries) {
    if (entry.kind === 'spc') continue;
    const start = entry.kind === 'one' ? entry.tn : entry.start;
    // There is no counting on from a number with # or *: such a range is taken as its first number alone.
    if (!DIGITS.test(start)) {
      exact.add(start);
      continue;
    }
    const list = lists.get(start.length) ?? [];
    list.push(interval(entry));
    lists.set(start.length, list);
  }
  const byLength = new Map<number, readonly Interval[]>();
  for (const [length, list] of lists) byLength.set(length, joinTouching(list));
  return { byLength, exact };
}

function joinTouching(list: readonly Interval[]): readonly Interval[] {
  const sorted = [...list].sort((a, b) => a.first - b.first);
  const joined: Interval[] = [];
  for (const next of sorted) {
    const current = joined.at(-1);
    if (current !== undefined && next.first <= current.last + 1) {
      joined[joined.length - 1] = { first: current.first, last: Math.max(next.last, current.last) };
    } else {
      joined.push(next);
    }
  }
  return joined;
}

function isWithin(numbers: NumberSet, entry: NumberEntry): boolean {
  const start = entry.kind === 'one' ? entry.tn : entry.start;
  if (!DIGITS.test(start)) return numbers.exact.has(start);
  const { first, last } = interval(entry);
  const candidate = lastStartingBy(numbers.byLength.get(start.length) ?? [], first);
  return candidate !== undefined && last <= candidate.last;
}

/** The last of some sorted intervals that begins at or before a number: the only one that can have the number in it. */
function lastStartingBy(sorted: readonly Interval[], number: number): Interval | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as Interval).first <= number) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
