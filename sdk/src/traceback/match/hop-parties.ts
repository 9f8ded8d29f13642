import type { CallRecord, HopSide } from '../../core/call-record.js';
import type { ProviderReference } from '../../core/traceback-request.js';
import { isOneOfGroup } from '../directory/one-company.js';
import type { TrunkDirectory, TrunkParty } from '../trunk-directory.js';

/** Who was at either end of a leg. */
export interface HopParties {
  /** Who sent it. Undefined where nobody knows, or nothing of that side is on record. */
  readonly upstreamOf: (leg: CallRecord) => TrunkParty | undefined;
  /** Whom it was sent to. */
  readonly downstreamOf: (leg: CallRecord) => TrunkParty | undefined;
  /** Whether a party is a provider, listed or not, that a reference means. */
  readonly isProvider: (party: TrunkParty | undefined, provider: ProviderReference) => boolean;
  /** Whether a party is somebody else than a reference means: false where the directory knows either of them not. */
  readonly isAnother: (party: TrunkParty | undefined, provider: ProviderReference) => boolean;
  /** Whether it is another switch of the asked provider itself. */
  readonly isOwn: (party: TrunkParty | undefined) => boolean;
  /** Whether two parties are one, affiliates apart; false where either is unknown. */
  readonly areSame: (one: TrunkParty | undefined, other: TrunkParty | undefined) => boolean;
}

/**
 * Makes the parties of the legs of one match: the directory is asked once for each side of each leg.
 * @param own - who is asked
 */
export function hopParties(directory: TrunkDirectory, own: ProviderReference): HopParties {
  const upstreams = new Map<CallRecord, TrunkParty | undefined>();
  const downstreams = new Map<CallRecord, TrunkParty | undefined>();
  const known = (
    memory: Map<CallRecord, TrunkParty | undefined>,
    leg: CallRecord,
    side: HopSide,
  ): TrunkParty | undefined => {
    if (!memory.has(leg)) memory.set(leg, hasParty(side) ? directory.partyOf(side, leg.inviteAtUs) : undefined);
    return memory.get(leg);
  };
  const isProvider = (party: TrunkParty | undefined, provider: ProviderReference): boolean => {
    if (party === undefined || party.kind === 'customer') return false;
    return directory.isSame(referenceOf(party), provider);
  };
  return {
    upstreamOf: (leg) => known(upstreams, leg, leg.ingress),
    downstreamOf: (leg) => known(downstreams, leg, leg.egress),
    isProvider,
    isAnother: (party, provider) => {
      if (party === undefined || isProvider(party, provider) || !directory.knows(provider)) return false;
      return party.kind === 'customer' || directory.knows(referenceOf(party));
    },
    isOwn: (party) => isProvider(party, own),
    areSame: (one, other) => {
      if (one === undefined || other === undefined) return false;
      if (one.kind === 'customer')
        return other.kind === 'customer' && one.customerId !== undefined && one.customerId === other.customerId;
      if (other.kind !== one.kind) return false;
      const [first, second] = [referenceOf(one), referenceOf(other)];
      // Affiliates are the same to a directory; an answer names one company.
      return directory.isSame(first, second) && isOneOfGroup(first, second);
    },
  };
}

/** Whether a record says anything of a side by which it could be known who was there. */
export function hasParty({ trunk, provider, address }: HopSide): boolean {
  return trunk !== undefined || provider !== undefined || address !== undefined;
}

/** Whether nothing that two records say of a side is another. */
export function isSameSide(one: HopSide, other: HopSide): boolean {
  return (
    !differ(one.trunk, other.trunk) &&
    !differ(one.provider, other.provider) &&
    !differ(hostOf(one.address), hostOf(other.address))
  );
}

/** Whether both are there, and are not the same. */
export function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** One switch writes the port, the other does not. */
function hostOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  if (address.startsWith('[')) return address.slice(1, address.indexOf(']') < 0 ? undefined : address.indexOf(']'));
  const colon = address.indexOf(':');
  // More than one colon is an IPv6 address without brackets, and without a port.
  return colon >= 0 && colon === address.lastIndexOf(':') ? address.slice(0, colon) : address;
}

function referenceOf(party: Exclude<TrunkParty, { kind: 'customer' }>): ProviderReference {
  return party.kind === 'provider' ? party.provider : { name: party.contact.name };
}
