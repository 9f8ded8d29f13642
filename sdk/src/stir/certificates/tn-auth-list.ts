import { TNAuthorizationList } from '@peculiar/asn1-rfc8226';
import type { TNEntry } from '@peculiar/asn1-rfc8226';
import type { CanonicalTn } from '../../core/terms.js';
import type { TnAuthEntry } from './certificate.js';
import { MalformedDer } from './der.js';
import { decodeExactly, wholeNumber } from './extension-decoding.js';

/** Service Provider Codes as the field assigns them: OCNs and the like; the RFC itself sets no bound, the URL and log formats around it do. */
const SPC = /^[0-9A-Z]{1,15}$/;

/** @see RFC 8226 section 9 (TelephoneNumber) */
const TELEPHONE_NUMBER = /^[0-9#*]{1,15}$/;

const DIGITS = /^[0-9]+$/;

/**
 * Reads the value of a TNAuthList extension.
 * @param value - content of the extension's OCTET STRING, already known to be DER
 * @returns entries in their order, at least one; a range that would run past its number of digits covers what exists of it
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 8226 section 9
 */
export function readTnAuthList(value: Uint8Array): readonly TnAuthEntry[] {
  const list = decodeExactly(value, TNAuthorizationList);
  if (list.length === 0) throw new MalformedDer('TNAuthList without an entry');
  return Array.from(list, readEntry);
}

/**
 * Whether every authority of `child` lies within `parent`, as a delegate certificate's must.
 * An SPC entry of the parent stands for all numbers of that provider: which ones those are no certificate says, so that any numbers
 * of the child are let pass below it, but no other SPC. A child range may span several adjoining ranges of the parent.
 * @see RFC 9060 section 4.1, RFC 8226 section 9
 */
export function encompasses(parent: readonly TnAuthEntry[], child: readonly TnAuthEntry[]): boolean {
  const spcs = new Set(parent.flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : [])));
  const numbers = mergeIntervals(parent);
  return child.every((entry) => {
    if (entry.kind === 'spc') return spcs.has(entry.spc);
    return spcs.size > 0 || isWithin(numbers, entry);
  });
}

/**
 * Whether a telephone number is named by a TNAuthList, alone or in a range. SPC entries name no numbers: a caller that accepts
 * them asks for them apart.
 * @param tn - canonical form, 1 to 15 of `0-9#*`
 * @see RFC 8226 section 9
 */
export function tnAuthListCovers(list: readonly TnAuthEntry[], tn: CanonicalTn): boolean {
  return list.some((entry) => {
    if (entry.kind === 'spc') return false;
    if (entry.kind === 'one') return entry.tn === tn;
    if (tn.length !== entry.start.length || !DIGITS.test(tn) || !DIGITS.test(entry.start)) return tn === entry.start;
    const { first, last } = interval(entry);
    return BigInt(tn) >= first && BigInt(tn) <= last;
  });
}

/** Most entries that are spelled out in a text; a certificate can hold hundreds. */
const TEXT_MAX_ENTRIES = 8;

/** A TNAuthList for people: `spc 1234, 12025550100, 12025550200 and the 99 after it`; long lists are cut. */
export function tnAuthListText(list: readonly TnAuthEntry[]): string {
  const texts = list.slice(0, TEXT_MAX_ENTRIES).map((entry) => {
    if (entry.kind === 'spc') return `spc ${entry.spc}`;
    return entry.kind === 'one' ? entry.tn : `${entry.start} and the ${entry.count - 1} after it`;
  });
  return list.length > TEXT_MAX_ENTRIES
    ? `${texts.join(', ')} and ${list.length - TEXT_MAX_ENTRIES} more`
    : texts.join(', ');
}

function readEntry(entry: TNEntry): TnAuthEntry {
  if (entry.spc !== undefined) {
    if (!SPC.test(entry.spc)) throw new MalformedDer('SPC that is not 1 to 15 of 0-9A-Z');
    return { kind: 'spc', spc: entry.spc };
  }
  if (entry.one !== undefined) return { kind: 'one', tn: readTelephoneNumber(entry.one) };
  if (entry.range === undefined) throw new MalformedDer('TNAuthList entry of an unknown kind');
  // Numbers have at most 15 digits: a count beyond 2^53 covers no more than 2^53 does.
  const count = wholeNumber(entry.range.count);
  if (!(count >= 2)) throw new MalformedDer('telephone number range with a count under 2');
  return { kind: 'range', start: readTelephoneNumber(entry.range.start), count };
}

function readTelephoneNumber(text: string): string {
  if (!TELEPHONE_NUMBER.test(text)) throw new MalformedDer('telephone number that is not 1 to 15 of 0-9#*');
  return text;
}

type NumberEntry = Exclude<TnAuthEntry, { kind: 'spc' }>;

interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/** Numbers of an all-digit entry. The number of digits stays: 99 + 2 is not 100, which is another, longer number. */
function interval(entry: NumberEntry): Interval {
  const start = entry.kind === 'one' ? entry.tn : entry.start;
  const first = BigInt(start);
  const end = first + BigInt(entry.kind === 'one' ? 1 : entry.count) - 1n;
  const ceiling = 10n ** BigInt(start.length) - 1n;
  return { first, last: end < ceiling ? end : ceiling };
}

/** The parent's numbers per length, as intervals that neither touch nor overlap; entries with `#` or `*` by their text. */
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
  const sorted = [...list].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const joined: Interval[] = [];
  for (const next of sorted) {
    const current = joined.at(-1);
    if (current !== undefined && next.first <= current.last + 1n) {
      joined[joined.length - 1] = { first: current.first, last: next.last > current.last ? next.last : current.last };
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
  return (numbers.byLength.get(start.length) ?? []).some(
    (candidate) => candidate.first <= first && last <= candidate.last,
  );
}
