import type { DemandRecordClass } from '@hopback/sdk/internal';
import type { DemandScope } from '@hopback/sdk/platform';
import { compareProviders } from '@hopback/sdk/internal';
import type { ProviderReference } from '@hopback/sdk/traceback';

/** Digits of a North American number with its country code. */
const NORTH_AMERICAN_DIGITS = 11;

/**
 * The form in which numbers of demands, requests and records are compared: digits, `*` and `#`, with the country code 1 where a North American
 * number was written without it, and without the prefixes `+`, `011` and `00`. What is written in two ways is one number; what cannot be told to be
 * one stays two. Never throws.
 * @param number - in any spelling
 * @see RFC 8224 section 8.3
 */
export function comparableNumber(number: string): string {
  const digits = number.replace(/[^0-9*#]/g, '');
  if (number.trimStart().startsWith('+')) return digits;
  if (digits.startsWith('011') && digits.length > NORTH_AMERICAN_DIGITS) return digits.slice(3);
  if (/^[2-9][0-9]{9}$/.test(digits)) return `1${digits}`;
  return digits;
}

/** Something that a demand may reach: a record, a request, an answer, a report, a transcript. */
export interface ScopeItem {
  readonly recordClass: DemandRecordClass;
  /** Milliseconds since the epoch; first instant at which the call can have been made. */
  readonly fromMs: number;
  /** Last such instant, the same where the time is known exactly. */
  readonly toMs: number;
  /** Numbers that it shows, in any spelling; none where they are withheld or pseudonyms. */
  readonly calling: readonly string[];
  readonly called: readonly string[];
  /** Campaigns and tracebacks that it is known to belong to. */
  readonly campaignIds: readonly string[];
  readonly tracebackIds: readonly string[];
  /** Whose record or statement it is; of a traceback, everybody who was asked. */
  readonly providers: readonly ProviderReference[];
}

/**
 * Makes a function that says whether a scope reaches an item: whether the item is of a class that is demanded and fits all of what is stated.
 * An item whose time is known to a minute or day alone is reached where all of that lies within; one that shows no number is not reached by
 * a scope that names numbers. A provider is known by an identifier and never by its name.
 * @param scope - as a demand or a decision states it, in the form of the contract
 * @returns a function that takes time independent of how much the scope names; it never throws
 */
export function scopeMatcher(scope: DemandScope): (item: ScopeItem) => boolean {
  const classes = new Set(scope.recordClasses);
  const [fromMs, toMs] = [Date.parse(scope.from), Date.parse(scope.to)];
  const calling = numbersOf(scope.callingNumbers);
  const called = numbersOf(scope.calledNumbers);
  const campaigns = setOf(scope.campaignIds);
  const tracebacks = setOf(scope.tracebackIds);
  const isNamed = scope.providers === undefined ? undefined : providerMatcher(scope.providers);
  return (item) =>
    classes.has(item.recordClass) &&
    item.fromMs >= fromMs &&
    item.toMs < toMs &&
    item.fromMs <= item.toMs &&
    (calling === undefined || item.calling.some((number) => calling.has(comparableNumber(number)))) &&
    (called === undefined || item.called.some((number) => called.has(comparableNumber(number)))) &&
    (campaigns === undefined || item.campaignIds.some((id) => campaigns.has(id))) &&
    (tracebacks === undefined || item.tracebackIds.some((id) => tracebacks.has(id))) &&
    (isNamed === undefined || item.providers.some(isNamed));
}

/**
 * Whether a scope reaches an item, as {@link scopeMatcher} has it. Never throws.
 * @param scope - in the form of the contract
 * @param item - what may be produced
 */
export function scopeMatches(scope: DemandScope, item: ScopeItem): boolean {
  return scopeMatcher(scope)(item);
}

/**
 * What two scopes reach both: the scope that was demanded, narrowed by another. It reaches nothing that either does not reach. Never throws.
 * @param scope - as it was demanded
 * @param by - as a reviewer or an earlier decision states it
 * @returns the narrowed scope; undefined where nothing is left
 */
export function narrowed(scope: DemandScope, by: DemandScope): DemandScope | undefined {
  const recordClasses = scope.recordClasses.filter((one) => by.recordClasses.includes(one));
  const from = Date.parse(scope.from) >= Date.parse(by.from) ? scope.from : by.from;
  const to = Date.parse(scope.to) <= Date.parse(by.to) ? scope.to : by.to;
  const lists: Partial<Record<ListMember, readonly Listed[]>> = {};
  for (const member of LIST_MEMBERS) {
    const kept = within(member, scope[member] ?? by[member], by[member]);
    if (kept !== undefined) lists[member] = kept;
  }
  const isEmpty = Object.values(lists).some((list) => list.length === 0);
  if (recordClasses.length === 0 || isEmpty || !(Date.parse(from) < Date.parse(to))) return undefined;
  return { recordClasses, from, to, ...(lists as Pick<DemandScope, ListMember>) };
}

/** Member of a scope. */
type ScopeMember = keyof DemandScope;

/**
 * In which members a scope reaches further than the one that was demanded: a decision may have none. Never throws.
 * @param demanded - as the agency demanded it
 * @param decided - as a reviewer would approve it
 */
export function widerMembers(demanded: DemandScope, decided: DemandScope): readonly ScopeMember[] {
  const wider: ScopeMember[] = [];
  if (decided.recordClasses.some((one) => !demanded.recordClasses.includes(one))) wider.push('recordClasses');
  if (!(Date.parse(decided.from) >= Date.parse(demanded.from))) wider.push('from');
  if (!(Date.parse(decided.to) <= Date.parse(demanded.to))) wider.push('to');
  const lists = LIST_MEMBERS.filter((member) => {
    const [wanted, given] = [demanded[member], decided[member]];
    return wanted !== undefined && (given === undefined || within(member, given, wanted)?.length !== given.length);
  });
  return [...wider, ...lists];
}

/** What a registry or a numbering authority gives out, which a demand can name a provider by. */
const IDENTIFIERS = ['providerId', 'ocn', 'spc', 'frn'] as const;

/** Keys that two references have in common where they share an identifier; an SPC may be another's OCN. */
const keysOf = ({ providerId, frn, ocn, spc }: ProviderReference): readonly string[] => [
  ...(providerId === undefined ? [] : [`id ${providerId}`]),
  ...(frn === undefined ? [] : [`frn ${frn}`]),
  ...[ocn, spc].flatMap((code) => (code === undefined ? [] : [`code ${code}`])),
];

function providerMatcher(providers: readonly ProviderReference[]): (provider: ProviderReference) => boolean {
  const byKey = new Map<string, ProviderReference[]>();
  for (const provider of providers)
    for (const key of keysOf(provider)) byKey.set(key, [...(byKey.get(key) ?? []), provider]);
  return (given) =>
    keysOf(given).some((key) =>
      (byKey.get(key) ?? []).some((one) => compareProviders(one, given) === 'same-identifier'),
    );
}

/** References with the same identifiers reach the same items; their names do not matter. */
function identifiersOf(provider: ProviderReference): string {
  return JSON.stringify(IDENTIFIERS.map((name) => provider[name] ?? null));
}

function numbersOf(list: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return list === undefined ? undefined : new Set(list.map(comparableNumber));
}

function setOf(list: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return list === undefined ? undefined : new Set(list);
}

const LIST_MEMBERS = ['callingNumbers', 'calledNumbers', 'campaignIds', 'tracebackIds', 'providers'] as const;
type ListMember = (typeof LIST_MEMBERS)[number];
type Listed = string | ProviderReference;

/** What of a list another has too; a list that is not there narrows nothing. */
function within(
  member: ListMember,
  list: readonly Listed[] | undefined,
  by: readonly Listed[] | undefined,
): readonly Listed[] | undefined {
  if (by === undefined) return list;
  const keys = new Set(by.map((value) => keyOf(member, value)));
  return list?.filter((value) => keys.has(keyOf(member, value)));
}

function keyOf(member: ListMember, value: Listed): string {
  if (typeof value !== 'string') return identifiersOf(value);
  return member === 'callingNumbers' || member === 'calledNumbers' ? comparableNumber(value) : value;
}
