import type { CallRecord } from '../../core/call-record.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import type { ResponderEntry } from './responder-entry.js';

/** Most bytes of an entry in the journal: a request with a long transcript, twenty candidates of some legs each, and an answer. */
export const ENTRY_BYTES: number = 2 ** 20;

/** Candidates that are kept where all of them are too many. */
const FEW_CANDIDATES = 5;

/**
 * The text of an entry for the journal. Where it is too long, what can be done without goes first: calls that come last, bytes of source
 * records, evidence of verifications, at last the calls themselves. What was asked and what was answered always stays.
 * @returns undefined where even that is too long
 */
export function entryText(entry: ResponderEntry): string | undefined {
  for (const reduce of REDUCTIONS) {
    const text = JSON.stringify(reduce(entry));
    if (Buffer.byteLength(text) <= ENTRY_BYTES) return text;
  }
  return undefined;
}

/**
 * Reads an entry of the journal back. The journal holds what this package wrote, with a checksum: only the form is looked at.
 * @returns undefined where it is none
 */
export function readEntry(text: string | undefined): ResponderEntry | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isEntry =
      typeof value === 'object' && value !== null && 'format' in value && value.format === 'hopback.responder-entry.1';
    return isEntry ? (value as ResponderEntry) : undefined;
  } catch {
    return undefined;
  }
}

type Reduction = (entry: ResponderEntry) => ResponderEntry;

const REDUCTIONS: readonly Reduction[] = [
  (entry) => entry,
  (entry) => withOutcome(entry, few),
  (entry) => withOutcome(entry, (outcome) => eachLeg(few(outcome), withoutRaw)),
  (entry) => withOutcome(entry, (outcome) => eachLeg(few(outcome), bare)),
  ({ outcome: _calls, ...rest }) => rest,
];

function withOutcome(entry: ResponderEntry, change: (outcome: MatchOutcome) => MatchOutcome): ResponderEntry {
  return entry.outcome === undefined ? entry : { ...entry, outcome: change(entry.outcome) };
}

function few(outcome: MatchOutcome): MatchOutcome {
  if (outcome.status === 'unique') return { ...outcome, others: outcome.others.slice(0, FEW_CANDIDATES) };
  return outcome.status === 'several'
    ? { ...outcome, candidates: outcome.candidates.slice(0, FEW_CANDIDATES) }
    : outcome;
}

function eachLeg(outcome: MatchOutcome, change: (leg: CallRecord) => CallRecord): MatchOutcome {
  const ofCandidate = (candidate: MatchCandidate): MatchCandidate => ({
    ...candidate,
    legs: candidate.legs.map(change),
    ingressLeg: change(candidate.ingressLeg),
    ...(candidate.egressLeg === undefined ? {} : { egressLeg: change(candidate.egressLeg) }),
  });
  if (outcome.status === 'unique')
    return { ...outcome, candidate: ofCandidate(outcome.candidate), others: outcome.others.map(ofCandidate) };
  return outcome.status === 'several' ? { ...outcome, candidates: outcome.candidates.map(ofCandidate) } : outcome;
}

function withoutRaw(leg: CallRecord): CallRecord {
  const { raw: _bytes, ...source } = leg.source;
  return { ...leg, source };
}

function bare(leg: CallRecord): CallRecord {
  if (leg.received === undefined) return withoutRaw(leg);
  const { evidence: _verdict, ...received } = leg.received;
  return { ...withoutRaw(leg), received };
}
