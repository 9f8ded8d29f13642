import type { HopSide } from '../../core/call-record.js';
import { HopbackError } from '../../errors.js';
import type { TrunkParty } from '../trunk-directory.js';
import { comparableBusinessName } from './business-name.js';
import { knownReferences } from './known-references.js';
import { prefixKey, readIpPrefix } from './ip-prefix.js';
import type { IpPrefix } from './ip-prefix.js';
import { createProviderIdentities } from './provider-identity.js';
import type { ProviderIdentities } from './provider-identity.js';
import {
  HANDOVER_MARGIN_SECONDS,
  MAX_KNOWN_PROVIDERS,
  MAX_PROVIDER_NAMES,
  MAX_TRUNK_ENTRIES,
} from './trunk-directory-data.js';
import type { TrunkDirectoryData, TrunkEntry } from './trunk-directory-data.js';
import type { ExplainingTrunkDirectory, TrunkKey, TrunkLookUp } from './trunk-look-up.js';

/**
 * Makes the directory of who had which trunk when. It names a party only where everything that it knows of the side of a call says the
 * same: trunk, address and the provider that the switch wrote down. Where entries contradict each other, where a trunk is listed but not
 * for that time or not with that address, and around the beginning and end of a period beside which the same party has no other, it names
 * nobody, so that a person decides.
 * @param data - entries with their periods, and the providers with all their names
 * @returns the directory, on a copy of the data
 * @throws {@link HopbackError} `invalid-configuration`, with `details.member`, for an entry without a key, an address that is none, a period
 * that ends before it begins, or more than may be
 * @see {@link checkTrunkDirectory} for what is wrong with the data without being out of bounds; 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const directory = createTrunkDirectory({
 *   directoryId: 'trunks-7',
 *   providers: [{ provider: { name: 'Example Telecom LLC', ocn: '0001' } }],
 *   entries: [
 *     { trunk: 'east-1', address: '192.0.2.0/24', party: { kind: 'provider', provider: { name: 'Example Telecom LLC' } } },
 *   ],
 * });
 * const party = directory.partyOf({ trunk: 'east-1', address: '192.0.2.7:5060' }, 1_793_620_800_000_000);
 * console.log(party?.kind); // provider
 * console.log(directory.partyOf({ trunk: 'east-1', address: '198.51.100.7:5060' }, 1_793_620_800_000_000)); // undefined
 * ```
 */
export function createTrunkDirectory(data: TrunkDirectoryData): ExplainingTrunkDirectory {
  const { directoryId, entries, providers, handoverMarginSeconds = HANDOVER_MARGIN_SECONDS } = structuredClone(data);
  checkBounds(data);
  const identities = createProviderIdentities(providers);
  const index = createIndex(entries.map((entry, at) => indexed(entry, at)));
  const core: DirectoryCore = { identities, index, marginUs: handoverMarginSeconds * 1_000_000 };
  const lookUp = (side: HopSide, atUs: number): TrunkLookUp => lookedUp(core, side, atUs);
  return {
    directoryId,
    lookUp,
    partyOf: (side, atUs) => {
      const found = lookUp(side, atUs);
      return found.status === 'known' ? found.party : undefined;
    },
    isSame: identities.isSame,
    knows: knownReferences(entries, identities),
  };
}

/** Whether two parties are one, affiliates apart: a name in an answer is that of one company. */
export function isSameParty(one: TrunkParty, other: TrunkParty, identities: ProviderIdentities): boolean {
  if (one.kind === 'provider' && other.kind === 'provider') return identities.isOne(one.provider, other.provider);
  if (one.kind === 'customer' && other.kind === 'customer') return one.customerId === other.customerId;
  if (
    (one.kind === 'unlisted-provider' && other.kind === 'unlisted-provider') ||
    (one.kind === 'foreign-provider' && other.kind === 'foreign-provider')
  ) {
    const name = comparableBusinessName(one.contact.name);
    return (
      name !== '' &&
      name === comparableBusinessName(other.contact.name) &&
      one.contact.country === other.contact.country
    );
  }
  return false;
}

/** An entry with its address read. */
export interface IndexedEntry {
  readonly at: number;
  readonly entry: TrunkEntry;
  readonly prefix?: IpPrefix;
}

/** @throws {@link HopbackError} `invalid-configuration` */
export function indexed(entry: TrunkEntry, at: number): IndexedEntry {
  const { trunk, address, switchProvider, fromUs, untilUs } = entry;
  const member = `entries[${String(at)}]`;
  if (trunk === undefined && address === undefined && switchProvider === undefined)
    throw wrong(member, 'names neither trunk, address nor switchProvider');
  if (fromUs !== undefined && untilUs !== undefined && fromUs >= untilUs) throw wrong(member, 'ends before it begins');
  if (address === undefined) return { at, entry };
  const prefix = readIpPrefix(address);
  if (prefix === undefined) throw wrong(`${member}.address`, 'is no address and no network');
  return { at, entry, prefix };
}

/** First instant of a period, microseconds; minus infinity where it always held. */
export function beginOf({ fromUs }: TrunkEntry): number {
  return fromUs ?? Number.NEGATIVE_INFINITY;
}

/** First instant after a period. */
export function endOf({ untilUs }: TrunkEntry): number {
  return untilUs ?? Number.POSITIVE_INFINITY;
}

function checkBounds({ entries, providers, handoverMarginSeconds = 0 }: TrunkDirectoryData): void {
  if (entries.length > MAX_TRUNK_ENTRIES) throw wrong('entries', `has more than ${String(MAX_TRUNK_ENTRIES)}`);
  if (providers.length > MAX_KNOWN_PROVIDERS) throw wrong('providers', `has more than ${String(MAX_KNOWN_PROVIDERS)}`);
  if (!(handoverMarginSeconds >= 0 && handoverMarginSeconds <= MAX_MARGIN_SECONDS))
    throw wrong('handoverMarginSeconds', `is none of 0 to ${String(MAX_MARGIN_SECONDS)}`);
  for (const [at, { otherNames = [], affiliates = [] }] of providers.entries()) {
    if (otherNames.length > MAX_PROVIDER_NAMES || affiliates.length > MAX_PROVIDER_NAMES)
      throw wrong(`providers[${String(at)}]`, `has more than ${String(MAX_PROVIDER_NAMES)} names or affiliates`);
  }
}

/** A week: past it the entries themselves are wrong. */
const MAX_MARGIN_SECONDS = 604_800;

function wrong(member: string, what: string): HopbackError {
  return new HopbackError('invalid-configuration', `the trunk directory: ${member} ${what}`, { details: { member } });
}

interface DirectoryCore {
  readonly identities: ProviderIdentities;
  readonly index: DirectoryIndex;
  readonly marginUs: number;
}

interface DirectoryIndex {
  readonly byTrunk: ReadonlyMap<string, readonly IndexedEntry[]>;
  readonly byProvider: ReadonlyMap<string, readonly IndexedEntry[]>;
  readonly byPrefix: ReadonlyMap<string, readonly IndexedEntry[]>;
  /** Lengths of networks that there are, by family. */
  readonly lengths: Readonly<Record<4 | 6, readonly number[]>>;
}

function createIndex(entries: readonly IndexedEntry[]): DirectoryIndex {
  const byTrunk = new Map<string, IndexedEntry[]>();
  const byProvider = new Map<string, IndexedEntry[]>();
  const byPrefix = new Map<string, IndexedEntry[]>();
  const lengths = { 4: new Set<number>(), 6: new Set<number>() };
  const add = (map: Map<string, IndexedEntry[]>, key: string | undefined, entry: IndexedEntry): void => {
    if (key === undefined) return;
    const others = map.get(key);
    if (others === undefined) map.set(key, [entry]);
    else others.push(entry);
  };
  for (const one of entries) {
    add(byTrunk, one.entry.trunk, one);
    add(byProvider, one.entry.switchProvider, one);
    if (one.prefix === undefined) continue;
    lengths[one.prefix.family].add(one.prefix.bits);
    add(byPrefix, prefixKey(one.prefix, one.prefix.bits), one);
  }
  return { byTrunk, byProvider, byPrefix, lengths: { 4: [...lengths[4]], 6: [...lengths[6]] } };
}

function lookedUp(core: DirectoryCore, side: HopSide, atUs: number): TrunkLookUp {
  const { trunk, address, provider } = side;
  if (trunk === undefined && address === undefined && provider === undefined) return unknown('nothing-recorded');
  const { byTrunk, byProvider } = core.index;
  const endpoint = address === undefined ? undefined : readIpPrefix(address);
  const listed: EntriesByKey = {
    trunk: trunk === undefined ? [] : (byTrunk.get(trunk) ?? []),
    address: endpoint === undefined ? [] : atAddress(core.index, endpoint),
    'switch-provider': provider === undefined ? [] : (byProvider.get(provider) ?? []),
  };
  const fitting = (key: TrunkKey): readonly IndexedEntry[] =>
    listed[key].filter((one) => faultOf(one, side, endpoint) === undefined);
  const found: EntriesByKey = {
    trunk: fitting('trunk'),
    address: fitting('address'),
    'switch-provider': fitting('switch-provider'),
  };
  // The trunk is in the directory, but not with what is recorded beside it: what other keys say is no answer to that.
  if (listed.trunk.length > 0 && found.trunk.length === 0) {
    const isContrary = listed.trunk.some((one) => faultOf(one, side, endpoint) === 'contrary');
    return unknown(isContrary ? 'contradiction' : 'not-listed');
  }
  // What an entry names beside its key and the record lacks may be so: the call may have been of that entry.
  const isOpen = (one: IndexedEntry): boolean => faultOf(one, side, endpoint) === 'missing';
  const against = KEYS.flatMap((key) => (found[key].length === 0 ? listed[key] : listed[key].filter(isOpen)));
  return judged(core, { found, against, written: writtenParty(core, provider), atUs });
}

type EntriesByKey = Readonly<Record<TrunkKey, readonly IndexedEntry[]>>;

/** Entries of all networks that an address is in, and of its port where they name one. */
function atAddress({ byPrefix, lengths }: DirectoryIndex, endpoint: IpPrefix): readonly IndexedEntry[] {
  return lengths[endpoint.family].flatMap((bits) => {
    const ofPrefix = byPrefix.get(prefixKey(endpoint, bits)) ?? [];
    return ofPrefix.filter(({ prefix }) => prefix?.port === undefined || prefix.port === endpoint.port);
  });
}

/** Why an entry is not of a side: everything that it names has to be recorded, and as it says. */
function faultOf(
  { entry, prefix }: IndexedEntry,
  side: HopSide,
  endpoint: IpPrefix | undefined,
): 'contrary' | 'missing' | undefined {
  const pairs = [
    [entry.trunk, side.trunk],
    [entry.switchProvider, side.provider],
  ];
  const isElsewhere = prefix !== undefined && side.address !== undefined && !isWithin(endpoint, prefix);
  if (isElsewhere || pairs.some(([wanted, recorded]) => differ(wanted, recorded))) return 'contrary';
  const isMissing = prefix !== undefined && side.address === undefined;
  return isMissing || pairs.some(([wanted, recorded]) => wanted !== undefined && recorded === undefined)
    ? 'missing'
    : undefined;
}

/** Whether both are there, and are not the same. */
export function differ<Value>(one: Value | undefined, other: Value | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

function isWithin(endpoint: IpPrefix | undefined, prefix: IpPrefix): boolean {
  if (endpoint === undefined || endpoint.family !== prefix.family) return false;
  if (prefix.port !== undefined && prefix.port !== endpoint.port) return false;
  return prefixKey(endpoint, prefix.bits) === prefixKey(prefix, prefix.bits);
}

/** Whom the name that the switch wrote means, where the directory knows that name of one provider. */
function writtenParty({ identities }: DirectoryCore, name: string | undefined): TrunkParty | undefined {
  if (name === undefined) return undefined;
  const resolved = identities.resolve({ name });
  return resolved.status === 'resolved' ? { kind: 'provider', provider: resolved.identity.known.provider } : undefined;
}

interface Findings {
  readonly found: EntriesByKey;
  /** Entries of a recorded key of which none fits, since they name another trunk or provider beside it. */
  readonly against: readonly IndexedEntry[];
  readonly written: TrunkParty | undefined;
  readonly atUs: number;
}

const KEYS: readonly TrunkKey[] = ['trunk', 'address', 'switch-provider'];

function judged({ identities, marginUs }: DirectoryCore, { found, against, written, atUs }: Findings): TrunkLookUp {
  const near = { firstUs: atUs - marginUs, lastUs: atUs + marginUs };
  const listed = KEYS.map((key) => found[key]).filter((entries) => entries.length > 0);
  const current = listed.map((entries) => within(entries, { firstUs: atUs, lastUs: atUs }));
  // Listed, and nobody said who had it then: what other keys say is no answer to that.
  if (current.some((entries) => entries.length === 0)) return unknown('not-listed-then');
  const holding = partiesOf(current.flat());
  if (written !== undefined) holding.push(written);
  const [party] = holding;
  if (party === undefined) return unknown('not-listed');
  const isParty = (other: TrunkParty): boolean => isSameParty(party, other, identities);
  if (![...holding, ...partiesOf(within(against, near))].every(isParty)) return unknown('contradiction');
  const around = within(listed.flat(), near);
  if (!partiesOf(around).every(isParty)) return unknown('changing-hands');
  if (listed.length > 0 && !holdThroughout(around, near)) return unknown('changing-hands');
  const by = KEYS.filter((key) => found[key].length > 0 || (key === 'switch-provider' && written !== undefined));
  return { status: 'known', party: named(party, identities), by };
}

function partiesOf(entries: readonly IndexedEntry[]): TrunkParty[] {
  return entries.map(({ entry }) => entry.party);
}

/** A stretch of time with both its ends, microseconds. */
interface Stretch {
  readonly firstUs: number;
  readonly lastUs: number;
}

/** Entries that hold at some instant of a stretch. */
function within(entries: readonly IndexedEntry[], { firstUs, lastUs }: Stretch): readonly IndexedEntry[] {
  return entries.filter(({ entry }) => beginOf(entry) <= lastUs && endOf(entry) > firstUs);
}

/** Whether there is at each instant of a stretch an entry that holds: where none does, the trunk came or went. */
function holdThroughout(entries: readonly IndexedEntry[], { firstUs, lastUs }: Stretch): boolean {
  let heldUntilUs = firstUs;
  for (const { entry } of entries.toSorted((one, other) => beginOf(one.entry) - beginOf(other.entry))) {
    if (beginOf(entry) > heldUntilUs) return false;
    heldUntilUs = Math.max(heldUntilUs, endOf(entry));
  }
  return heldUntilUs > lastUs;
}

/** With the codes under which the directory knows the provider: an entry may have its name alone. */
function named(party: TrunkParty, identities: ProviderIdentities): TrunkParty {
  if (party.kind !== 'provider') return party;
  const resolved = identities.resolve(party.provider);
  if (resolved.status !== 'resolved') return party;
  return { kind: 'provider', provider: { ...resolved.identity.known.provider, ...party.provider } };
}

function unknown(reason: (TrunkLookUp & { status: 'unknown' })['reason']): TrunkLookUp {
  return { status: 'unknown', reason };
}
