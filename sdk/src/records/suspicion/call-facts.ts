import type { CallRecord } from '../../core/call-record.js';
import type { SharedRecord } from '../../core/call-record.js';
import { npaNxxOf } from './north-american-number.js';
import type { NotJudgedReason } from './suspicion.js';

/** A record as it was written, or as a carrier has shared it. */
export type JudgedRecord = CallRecord | SharedRecord;

/** What a judgement is made of, whatever form the record has. */
export interface CallFacts {
  readonly recordId: string;
  /** When the call came, microseconds since the epoch; 0 where the record has no such time. */
  readonly atUs: number;
  /** Number or pseudonym of who calls; what the network asserts goes before what the caller says. */
  readonly callingKey: string | undefined;
  /** Why there is none. */
  readonly callingMissing: NotJudgedReason | undefined;
  /** Whether `callingKey` is a pseudonym. */
  readonly isCallingVeiled: boolean;
  /** Area code and exchange, -1 where there are none. */
  readonly callingNpaNxx: number;
  /** Number or pseudonym of who is called. */
  readonly calledKey: string | undefined;
  readonly isCalledVeiled: boolean;
  readonly calledNpaNxx: number;
  /** The ten national digits of a North American number as a whole number; -1 where they are not known. */
  readonly calledNational: number;
  readonly trunk: string | undefined;
  /** Who signed, where the signature was found good. */
  readonly signer: string | undefined;
  /** Whether the call counts at all: one that was refused here says nothing of who would have answered. */
  readonly isOffered: boolean;
  readonly isAnswered: boolean;
  /** From answer to end, seconds; NaN where it is not known. */
  readonly seconds: number;
}

/** Takes a record apart. Never throws. */
export function callFacts(record: JudgedRecord): CallFacts {
  const caller = (numberOf(record.asserted) === undefined ? record.calling : record.asserted) as Party | undefined;
  const called = record.called as Party | undefined;
  const callingKey = numberOf(caller);
  const calledKey = numberOf(called) ?? called?.asWritten;
  const isAnswered = record.disposition === 'answered';
  return {
    recordId: record.recordId,
    atUs: Number.isFinite(record.inviteAtUs) ? record.inviteAtUs : 0,
    callingKey,
    callingMissing: callingKey === undefined ? missing(caller) : undefined,
    isCallingVeiled: caller?.shown === 'pseudonym',
    callingNpaNxx: prefixOf(caller),
    calledKey,
    isCalledVeiled: called?.shown === 'pseudonym',
    calledNpaNxx: prefixOf(called),
    calledNational: nationalOf(called),
    trunk: record.ingress.trunk ?? record.ingress.address,
    signer: signerOf(record),
    isOffered: record.disposition !== 'blocked',
    isAnswered,
    seconds: isAnswered ? lasted(record) : Number.NaN,
  };
}

/** What all forms of a party have between them. */
interface Party {
  readonly shown?: 'whole' | 'number' | 'pseudonym' | 'no-number';
  readonly asWritten?: string;
  readonly tn?: string;
  readonly pseudonym?: string;
  readonly npaNxx?: string;
  readonly isAnonymous?: boolean;
}

function numberOf(party: Party | undefined): string | undefined {
  return party?.pseudonym ?? party?.tn;
}

/** Texts of a caller who asked not to be named. @see RFC 3323 section 4.1.1.3 */
const ANONYMOUS = ['anonymous', 'restricted', 'private', 'withheld', 'unavailable', 'unknown'];
const MAX_ANONYMOUS_CHARS = 128;

/** Whether what stands in the place of a calling number says that it is not to be shown. Never throws. */
export function isAnonymousCaller(asWritten: string): boolean {
  const text = asWritten.slice(0, MAX_ANONYMOUS_CHARS).toLowerCase();
  return ANONYMOUS.some((word) => text.includes(word));
}

function missing(caller: Party | undefined): NotJudgedReason {
  if (caller === undefined) return 'no-calling-number';
  if (caller.isAnonymous === true || (caller.asWritten !== undefined && isAnonymousCaller(caller.asWritten))) {
    return 'caller-anonymous';
  }
  return 'no-calling-number';
}

function prefixOf(party: Party | undefined): number {
  if (party === undefined) return -1;
  if (party.tn !== undefined) return npaNxxOf(party.tn);
  const veiled = party.npaNxx === undefined ? Number.NaN : Number(party.npaNxx);
  return Number.isInteger(veiled) && veiled >= 0 && veiled < 1_000_000 ? veiled : -1;
}

function nationalOf(party: Party | undefined): number {
  const tn = party?.tn;
  if (tn === undefined || npaNxxOf(tn) < 0) return -1;
  const digits = Number(tn) - 10_000_000_000;
  return Number.isInteger(digits) && digits >= 0 && digits < 10_000_000_000 ? digits : -1;
}

/** The provider code, or the certificate where it speaks for none, of a signature that was found good. */
function signerOf({ received }: JudgedRecord): string | undefined {
  if (received?.verstat !== 'TN-Validation-Passed') return undefined;
  if (received.spc !== undefined) return received.spc;
  const good = received.evidence?.passports.find(({ status }) => status === 'passed');
  return good?.spc ?? good?.certificateSha256;
}

function lasted({ answeredAtUs, endedAtUs }: JudgedRecord): number {
  if (answeredAtUs === undefined || endedAtUs === undefined) return Number.NaN;
  // Clocks that were set between the two make nothing of less than no time.
  return Math.max(0, (endedAtUs - answeredAtUs) / 1_000_000);
}
