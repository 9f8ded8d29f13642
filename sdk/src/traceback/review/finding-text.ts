import type { TracebackFinding } from '../../core/traceback-request.js';
import type { TrunkParty } from '../trunk-directory.js';

/**
 * What an answer says, in one line. Never throws.
 * @param finding - any arm
 * @returns a text for people; names in it are as they were written: whoever shows them escapes them
 * @see {@link TracebackFinding}
 * @example
 * ```ts
 * console.log(findingText({ arm: 'received-from', upstream: { name: 'Example Carrier Corp', ocn: '0003' } })); // received from Example Carrier Corp (OCN 0003)
 * ```
 */
export function findingText(finding: TracebackFinding): string {
  const texts: {
    readonly [Arm in TracebackFinding['arm']]: (one: TracebackFinding & { readonly arm: Arm }) => string;
  } = {
    'received-from': ({ upstream }) => `received from ${upstream.name}${codes(upstream.ocn)}`,
    'received-from-unlisted': ({ upstream }) => `received from ${upstream.name}, which no registry lists`,
    origin: ({ customer }) =>
      `we are the origin${customer.customerId === undefined ? '' : `, customer ${customer.customerId}`}`,
    'point-of-entry': ({ upstream }) => `we are the point of entry; received from ${upstream.name}, abroad`,
    'not-found': () => 'not found',
    'not-retained': ({ retainedFrom }) => `not retained: records begin at ${retainedFrom}`,
    'not-our-number': () => 'not our number',
    'not-sent-to-downstream': ({ downstream }) => `there is such a call, and it was not sent to ${downstream.name}`,
    ambiguous: ({ candidates }) => `ambiguous: ${String(candidates)} calls fit`,
    'serves-number': ({ customer }) =>
      `the number is served here${customer.customerId === undefined ? '' : `, customer ${customer.customerId}`}`,
    'number-served-by': ({ provider }) => `the number is served by ${provider.name}${codes(provider.ocn)}`,
    refused: ({ reason }) => `refused: ${reason}`,
  };
  const text = texts[finding.arm] as (one: TracebackFinding) => string;
  return text(finding);
}

/** Who is at the other end of a trunk, in words. */
export function partyText(party: TrunkParty | undefined): string {
  if (party === undefined) return 'not known';
  if (party.kind === 'provider') return `${party.provider.name}${codes(party.provider.ocn)}`;
  if (party.kind === 'customer') return `customer ${party.customerId ?? 'without a name'}`;
  const { name, country } = party.contact;
  return party.kind === 'foreign-provider'
    ? `${name}, abroad${country === undefined ? '' : ` (${country})`}`
    : `${name}, unlisted`;
}

function codes(ocn: string | undefined): string {
  return ocn === undefined ? '' : ` (OCN ${ocn})`;
}
