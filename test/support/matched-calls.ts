import type { CallRecord, CoverageInterval } from '../../sdk/src/contract/call-record.js';
import type { ProviderReference } from '../../sdk/src/contract/common.js';
import type { RequestedCall, StatedTime, TracebackRequest } from '../../sdk/src/contract/traceback-exchange.js';
import type { StoreScope } from '../../sdk/src/records/store/record-store.js';
import type { MatchOutcome } from '../../sdk/src/traceback/match-outcome.js';
import { matchCall } from '../../sdk/src/traceback/match/match-call.js';
import type { MatchOptions } from '../../sdk/src/traceback/match/match-options.js';
import type { TrunkParty } from '../../sdk/src/traceback/directory/provider-identity.js';
import type { TrunkParties } from '../../sdk/src/traceback/directory/trunk-directory.js';
import { sparseRecord } from './stored-records.js';

// One call of a small carrier and a request about it: each claim about the matcher changes one thing of them.

export const CALLED = '12025550101';
export const CALLING = '13125550144';
/** 2026-10-23T19:41:20Z, 3:41 PM in New York. */
export const CALL_US: number = Date.UTC(2026, 9, 23, 19, 41, 20) * 1_000;
export const SECOND_US = 1_000_000;
export const MINUTE_US = 60_000_000;
export const HOUR_US = 3_600_000_000;

const provider = (name: string): ProviderReference => ({ name });
const OWN: ProviderReference = provider('Own Carrier');
const UPSTREAM_A: ProviderReference = provider('Upstream A');
const DOWNSTREAM_X: ProviderReference = provider('Downstream X');
const DOWNSTREAM_Y: ProviderReference = provider('Downstream Y');

const PARTIES: ReadonlyMap<string | undefined, TrunkParty> = new Map<string | undefined, TrunkParty>([
  ['in-a', { kind: 'provider', provider: UPSTREAM_A }],
  ['in-a-2', { kind: 'provider', provider: UPSTREAM_A }],
  ['in-b', { kind: 'provider', provider: provider('Upstream B') }],
  ['in-foreign', { kind: 'foreign-provider', contact: { name: 'Foreign F' } }],
  ['in-customer', { kind: 'customer', customerId: 'customer-1' }],
  ['out-x', { kind: 'provider', provider: DOWNSTREAM_X }],
  ['out-y', { kind: 'provider', provider: DOWNSTREAM_Y }],
  ['core', { kind: 'provider', provider: OWN }],
  ['subscribers', { kind: 'customer' }],
]);

const KNOWN: ReadonlySet<string> = new Set(
  [...PARTIES.values()].flatMap((party) =>
    party.kind === 'customer' ? [] : [party.kind === 'provider' ? party.provider.name : party.contact.name],
  ),
);

/** The parties of trunks, by the name of the trunk alone. */
export const DIRECTORY: TrunkParties = {
  partyOf: ({ trunk }) => PARTIES.get(trunk),
  isSame: (one, other) => one.name === other.name,
  knows: ({ name }) => KNOWN.has(name),
};

/** A leg from Upstream A to Downstream X, answered after 8 s and 20 s long, with what `parts` says in its place. */
export function leg(legId: string, parts: Partial<CallRecord> = {}, inviteAtUs: number = CALL_US): CallRecord {
  const { answeredAtUs = inviteAtUs + 8 * SECOND_US, endedAtUs = inviteAtUs + 28 * SECOND_US, ...others } = parts;
  return sparseRecord(legId, inviteAtUs, {
    calling: { asWritten: CALLING, tn: CALLING },
    called: { asWritten: CALLED, tn: CALLED },
    ingress: { trunk: 'in-a' },
    egress: { trunk: 'out-x' },
    disposition: 'answered',
    answeredAtUs,
    endedAtUs,
    ...others,
  });
}

/** A number as a record has it. */
export const named = (tn: string): { asWritten: string; tn: string } => ({ asWritten: tn, tn });

const UNITS_US: Readonly<Record<string, number>> = { us: 1, s: SECOND_US, m: MINUTE_US, h: HOUR_US };

/**
 * Legs in short, with `; ` between them: an id, then when it began (`+40s` or `-9h` from {@link CALL_US}, or `@2026-11-01T05:30Z`), its trunks
 * (`in-b>out-y`; an empty side is the usual trunk and `-` none; `core/between` adds a Call-ID), its group, its numbers, and after how many
 * seconds it ended, answered or unanswered.
 */
export function legs(text: string): CallRecord[] {
  return text.split('; ').map((words) => {
    const [legId = '', ...parts] = words.split(' ');
    const [from = '', to = ''] = parts.find((part) => part.includes('>'))?.split('>') ?? [];
    const value = (name: string): string | undefined =>
      parts.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);
    const [group, calling, called, unanswered, ended] = ['group', 'calling', 'called', 'unanswered', 'ended'].map(
      value,
    );
    const inviteAtUs = instantUs(parts.find((part) => /^[+@-]\d/.test(part)) ?? '+0s');
    const record: Partial<CallRecord> = {
      ingress: side(from, 'in-a'),
      egress: side(to, 'out-x'),
      ...(group !== undefined && { callGroupId: group }),
      ...(calling !== undefined && { calling: named(calling) }),
      ...(called !== undefined && { called: named(called) }),
      ...(ended !== undefined && { endedAtUs: inviteAtUs + Number(ended) * SECOND_US }),
    };
    return unanswered === undefined
      ? leg(legId, record, inviteAtUs)
      : unansweredLeg(legId, record, Number(unanswered), inviteAtUs);
  });
}

/** An instant in short: `+40s` and the like from {@link CALL_US}, or `@` and an ISO time. */
export function instantUs(text: string): number {
  const [, amount = '', unit = ''] = /^([+-]\d+)(us|s|m|h)$/.exec(text) ?? [];
  return text.startsWith('@') ? Date.parse(text.slice(1)) * 1_000 : CALL_US + Number(amount) * (UNITS_US[unit] ?? 0);
}

function side(text: string, usualTrunk: string): CallRecord['ingress'] {
  if (text === '-') return {};
  const [trunk = '', callId] = text.split('/');
  return { trunk: trunk === '' ? usualTrunk : trunk, ...(callId !== undefined && { callId: `${callId}@192.0.2.1` }) };
}

/** A leg that was not answered and was over after so many seconds. */
function unansweredLeg(legId: string, parts: Partial<CallRecord>, seconds: number, inviteAtUs: number = CALL_US) {
  const { answeredAtUs: _none, ...record } = leg(legId, { disposition: 'failed', ...parts }, inviteAtUs);
  return { ...record, endedAtUs: inviteAtUs + seconds * SECOND_US };
}

/** 3:41 PM in New York, to the minute. */
export const AT: StatedTime = {
  asWritten: '10/23/2026 3:41 PM EDT',
  local: '2026-10-23T15:41',
  zone: 'America/New_York',
  precision: 'minute',
};

/** A request by Downstream X about the call. */
export function request(call: Partial<RequestedCall> = {}, parts: Partial<TracebackRequest> = {}): TracebackRequest {
  return {
    format: 'hopback.traceback-request.1',
    requestId: 'request-1',
    tracebackId: 'traceback-1',
    direction: 'back',
    hop: 2,
    requester: { kind: 'itg', name: 'Industry Traceback Group' },
    issuedAt: '2026-10-26T14:00:00Z',
    provider: OWN,
    downstream: DOWNSTREAM_X,
    call: { called: CALLED, calling: CALLING, at: AT, ...call },
    ...parts,
  };
}

/** As {@link request}, without a member. */
export function without<T extends object, K extends keyof T>(value: T, ...members: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !members.includes(key as K))) as Omit<T, K>;
}

/** A request that states no calling number. */
export function withoutCalling(call: Partial<RequestedCall> = {}): TracebackRequest {
  const full = request(call);
  return { ...full, call: without(full.call, 'calling') };
}

export const SCOPE: StoreScope = { sources: ['sbc-1'] };
/** Everything that was ever written. */
export const ALL: readonly CoverageInterval[] = [{ sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US * 2 }];

/** What a request finds where everything is covered, unless something else is said. */
export function outcomeOf(
  asked: TracebackRequest,
  records: readonly CallRecord[],
  parts: {
    readonly coverage?: readonly CoverageInterval[];
    readonly scope?: StoreScope;
    readonly options?: MatchOptions;
  } = {},
): MatchOutcome {
  const { coverage = ALL, scope = SCOPE, options = {} } = parts;
  return matchCall({ request: asked, records, coverage, scope, directory: DIRECTORY, options });
}

/** The outcome in a word or two: the leg that came in of a unique one, the legs of candidates of others. */
export function brief(outcome: MatchOutcome): string {
  if (outcome.status === 'unique') return `unique ${outcome.candidate.ingressLeg.legId}`;
  if (outcome.status !== 'several') return outcome.status;
  const disputed = outcome.disputed === undefined ? '' : ' disputed';
  return `several ${outcome.candidates.map(({ ingressLeg }) => ingressLeg.legId).join(' ')}${disputed}`;
}
