import { isIP } from 'node:net';
import type { HopSide } from '../../contract/call-record.js';
import type { ProviderReference } from '../../contract/common.js';
import { comparableBusinessName } from '../../contract/same-provider.js';
import { defined, grouped } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import {
  HANDOVER_MARGIN_SECONDS,
  MAX_KNOWN_PROVIDERS,
  MAX_PROVIDER_NAMES,
  MAX_TRUNK_ENTRIES,
  createProviderIdentities,
  differ,
  knownReferences,
} from './provider-identity.js';
import type { ProviderIdentities, TrunkDirectoryData, TrunkEntry, TrunkParty } from './provider-identity.js';

/** A network or a single address; of IPv6 those that carry an IPv4 address (`::ffff:0:0/96`) are that. */
interface IpPrefix {
  readonly family: 4 | 6;
  /** Of the network part, from the highest: `bits` of them. */
  readonly value: bigint;
  /** Length of the network part, bits. */
  readonly bits: number;
  /** Where only one is meant. */
  readonly port?: number;
}

/** `[2001:db8:ffff:ffff:ffff:ffff:255.255.255.255]:65535/128` and some more. */
const MAX_CHARS = 64;
const WIDTH = { 4: 32, 6: 128 } as const;

/**
 * Reads an address with or without a port, or a network. Never throws.
 * @param text - `192.0.2.1`, `192.0.2.1:5060`, `192.0.2.0/24`, `2001:db8::1`, `[2001:db8::1]:5060`, `2001:db8::/32`
 * @returns undefined where it is none, where host bits of a network are set, or a network has a port
 * @see RFC 4632 section 3.1, RFC 4291 section 2.3, RFC 3986 section 3.2.2
 */
export function readIpPrefix(text: string): IpPrefix | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const slash = text.indexOf('/');
  if (slash < 0) return readEndpoint(text);
  const address = addressOf(text.slice(0, slash));
  const bits = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : Number.NaN;
  // A mapped network is written in the other family, or is wider than all of it.
  if (address === undefined || address.isMapped || !(bits <= WIDTH[address.family])) return undefined;
  const hostBits = BigInt(WIDTH[address.family] - bits);
  const value = address.value >> hostBits;
  return value << hostBits === address.value ? { family: address.family, value, bits } : undefined;
}

/**
 * The prefix of an address, as a key to look it up by.
 * @param address - of one address
 * @param bits - length of the network part
 */
export function prefixKey({ family, value, bits: known }: IpPrefix, bits: number): string {
  return `${String(family)}/${String(bits)}/${(value >> BigInt(known - bits)).toString(16)}`;
}

function readEndpoint(text: string): IpPrefix | undefined {
  const [, inBrackets, portInBrackets] = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text) ?? [];
  const [, dotted, portDotted] = /^([\d.]+):(\d{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? dotted ?? text;
  const address = addressOf(host);
  const portText = portInBrackets ?? portDotted;
  const port = portText === undefined ? undefined : Number(portText);
  if (address === undefined || (inBrackets !== undefined && isIP(host) !== 6)) return undefined;
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const { family, value } = address;
  return defined({ family, value, bits: WIDTH[family], port });
}

interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
  readonly isMapped: boolean;
}

function addressOf(text: string): Address | undefined {
  const family = isIP(text);
  if (family === 4) return { family, value: dottedValue(text), isMapped: false };
  // A zone names a link of the machine that wrote it: of no use on another.
  if (family !== 6 || text.includes('%')) return undefined;
  const value = colonValue(text);
  const isMapped = value >> 32n === 0xffffn;
  return isMapped ? { family: 4, value: value & 0xffff_ffffn, isMapped } : { family, value, isMapped };
}

function dottedValue(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** @param text - an IPv6 address that was found to be one */
function colonValue(text: string): bigint {
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  const dotted = tail.includes('.') ? dottedValue(tail) : undefined;
  const whole =
    dotted === undefined
      ? text
      : `${text.slice(0, lastColon + 1)}${(dotted >> 16n).toString(16)}:${(dotted & 0xffffn).toString(16)}`;
  const [head = '', rest] = whole.split('::');
  const before = groupsOf(head);
  const after = rest === undefined ? [] : groupsOf(rest);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(text: string): readonly bigint[] {
  return text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));
}

/**
 * The directory of who had which trunk when: a trunk changes hands, and a call of last year was sent by whoever had it then. It names a party
 * only where everything that it knows of the side of a call says the same: trunk, address and the provider that the switch wrote down. Where
 * entries contradict each other, where a trunk is listed but not for that time or not with that address, and around the beginning and end of a
 * period beside which the same party has no other, it names nobody, so that a person decides.
 * @see {@link checkTrunkDirectory} for what is wrong with the data without being out of bounds; 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const directory = new TrunkDirectory({
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
export class TrunkDirectory {
  /** Of its data. */
  readonly directoryId: string;
  readonly #identities: ProviderIdentities;
  readonly #index: DirectoryIndex;
  readonly #marginUs: number;
  readonly #knows: (reference: ProviderReference) => boolean;

  /**
   * Makes the directory, on a copy of the data.
   * @param data - entries with their periods, and the providers with all their names
   * @throws {@link HopbackError} `invalid-configuration`, with `details.member`, for an entry without a key, an address that is none, a period
   * that ends before it begins, or more than may be
   */
  constructor(data: TrunkDirectoryData) {
    const { directoryId, entries, providers, handoverMarginSeconds = HANDOVER_MARGIN_SECONDS } = structuredClone(data);
    checkBounds(data);
    this.directoryId = directoryId;
    this.#identities = createProviderIdentities(providers);
    this.#index = createIndex(entries.map((entry, at) => indexed(entry, at)));
    this.#marginUs = handoverMarginSeconds * 1_000_000;
    this.#knows = knownReferences(entries, this.#identities);
  }

  /**
   * Never throws.
   * @param side - of a record: its trunk, its address, and the provider that the switch wrote down
   * @param atUs - when the call came, microseconds since the epoch
   * @returns undefined where the directory does not know, or entries contradict each other
   */
  partyOf(side: HopSide, atUs: number): TrunkParty | undefined {
    const found = this.lookUp(side, atUs);
    return found.status === 'known' ? found.party : undefined;
  }

  /** Whether two references mean the same provider, other names and affiliates that the directory knows of included. Never throws. */
  isSame(one: ProviderReference, other: ProviderReference): boolean {
    return this.#identities.isSame(one, other);
  }

  /**
   * Whether it knows whom a reference means. Of somebody whom it does not know, nobody can say that a call was not sent to them: they may
   * go by another name. Never throws.
   */
  knows(reference: ProviderReference): boolean {
    return this.#knows(reference);
  }

  /**
   * As `partyOf`, with the reason. Never throws.
   * @param side - of a record
   * @param atUs - when the call came, microseconds since the epoch
   */
  lookUp(
    side: HopSide,
    atUs: number,
  ):
    | {
        readonly status: 'known';
        readonly party: TrunkParty;
        /** By what it was found, strongest first. */
        readonly by: readonly ('trunk' | 'address' | 'switch-provider')[];
      }
    | {
        readonly status: 'unknown';
        /**
         * - `nothing-recorded`: the record names neither trunk, address nor provider of that side;
         * - `not-listed`: nothing that is recorded is in the directory, or its trunk is there with an address or provider of which the record says nothing;
         * - `not-listed-then`: it is listed, but not for that time;
         * - `changing-hands`: the call came within the margin of a change of hands, or of where a period begins or ends that no other of the same party adjoins;
         * - `contradiction`: entries that hold name different parties, or what is recorded is not as the entries of its trunk, address or provider say.
         */
        readonly reason: 'nothing-recorded' | 'not-listed' | 'not-listed-then' | 'changing-hands' | 'contradiction';
      } {
    const { trunk, address, provider } = side;
    if (trunk === undefined && address === undefined && provider === undefined) return unknown('nothing-recorded');
    const { byTrunk, byProvider } = this.#index;
    const endpoint = address === undefined ? undefined : readIpPrefix(address);
    const listed: EntriesByKey = {
      trunk: trunk === undefined ? [] : (byTrunk.get(trunk) ?? []),
      address: endpoint === undefined ? [] : atAddress(this.#index, endpoint),
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
    return this.#judged({ found, against, written: this.#writtenParty(provider), atUs });
  }

  /** Whom the name that the switch wrote means, where the directory knows that name of one provider. */
  #writtenParty(name: string | undefined): TrunkParty | undefined {
    if (name === undefined) return undefined;
    const resolved = this.#identities.resolve({ name });
    return resolved.status === 'resolved'
      ? { kind: 'provider', provider: resolved.identity.known.provider }
      : undefined;
  }

  #judged({ found, against, written, atUs }: Findings): TrunkLookUp {
    const near = { firstUs: atUs - this.#marginUs, lastUs: atUs + this.#marginUs };
    const listed = KEYS.map((key) => found[key]).filter((entries) => entries.length > 0);
    const current = listed.map((entries) => within(entries, { firstUs: atUs, lastUs: atUs }));
    // Listed, and nobody said who had it then: what other keys say is no answer to that.
    if (current.some((entries) => entries.length === 0)) return unknown('not-listed-then');
    const holding = partiesOf(current.flat());
    if (written !== undefined) holding.push(written);
    const [party] = holding;
    if (party === undefined) return unknown('not-listed');
    const isParty = (other: TrunkParty): boolean => isSameParty(party, other, this.#identities);
    if (![...holding, ...partiesOf(within(against, near))].every(isParty)) return unknown('contradiction');
    const around = within(listed.flat(), near);
    if (!partiesOf(around).every(isParty)) return unknown('changing-hands');
    if (listed.length > 0 && !holdThroughout(around, near)) return unknown('changing-hands');
    const by = KEYS.filter((key) => found[key].length > 0 || (key === 'switch-provider' && written !== undefined));
    return { status: 'known', party: named(party, this.#identities), by };
  }
}

/** What is asked of a directory; a carrier may have another. */
export type TrunkParties = Pick<TrunkDirectory, 'partyOf' | 'isSame' | 'knows'>;

type TrunkLookUp = ReturnType<TrunkDirectory['lookUp']>;
type TrunkKey = Extract<TrunkLookUp, { status: 'known' }>['by'][number];

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

type DirectoryIndex = ReturnType<typeof createIndex>;

function createIndex(entries: readonly IndexedEntry[]) {
  const lengths = (family: 4 | 6): readonly number[] => [
    ...new Set(entries.flatMap(({ prefix }) => (prefix?.family === family ? [prefix.bits] : []))),
  ];
  return {
    byTrunk: grouped(entries, ({ entry: { trunk } }) => (trunk === undefined ? [] : [trunk])),
    byProvider: grouped(entries, ({ entry }) => (entry.switchProvider === undefined ? [] : [entry.switchProvider])),
    byPrefix: grouped(entries, ({ prefix }) => (prefix === undefined ? [] : [prefixKey(prefix, prefix.bits)])),
    /** Lengths of networks that there are, by family. */
    lengths: { 4: lengths(4), 6: lengths(6) },
  };
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

function isWithin(endpoint: IpPrefix | undefined, prefix: IpPrefix): boolean {
  if (endpoint === undefined || endpoint.family !== prefix.family) return false;
  if (prefix.port !== undefined && prefix.port !== endpoint.port) return false;
  return prefixKey(endpoint, prefix.bits) === prefixKey(prefix, prefix.bits);
}

interface Findings {
  readonly found: EntriesByKey;
  /** Entries of a recorded key of which none fits, since they name another trunk or provider beside it. */
  readonly against: readonly IndexedEntry[];
  readonly written: TrunkParty | undefined;
  readonly atUs: number;
}

const KEYS: readonly TrunkKey[] = ['trunk', 'address', 'switch-provider'];

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
