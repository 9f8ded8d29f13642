import { createBoundedTable } from './bounded-table.js';
import { countCall, countLateAnswer, createCallCounts, rollTo, unpackInto } from './call-counts.js';
import type { CallMarks } from './call-counts.js';
import { callFacts } from './call-facts.js';
import type { CallFacts, JudgedRecord } from './call-facts.js';
import { countArea, createGroupMemory, rollGroupTo } from './call-groups.js';
import type { GroupMemory } from './call-groups.js';
import { createDiallingRows, MAX_DIALLING_GROUP } from './dialling-rows.js';
import { createNumberCounts } from './number-counts.js';
import { createRecentCalls } from './recent-calls.js';
import { readCalling } from './calling-reading.js';
import { rampStrength } from './signal-findings.js';
import type { CallingReading, SuspicionLists } from './signal-findings.js';
import { findSignals } from './signals.js';
import { checkSuspicionPolicy, DEFAULT_SUSPICION_POLICY, HALF_HOUR_US } from './suspicion-policy.js';
import type { SuspicionPolicy } from './suspicion-policy.js';
import type { Suspicion, SuspicionSignal } from './suspicion.js';
import { hashText, hashText52 } from './text-hash.js';
import { packedCounts, restoreGroups, savedGroups } from './tracker-state.js';
import type { SuspicionTrackerState } from './tracker-state.js';

/** What a tracker is made with. */
export interface SuspicionTrackerOptions extends SuspicionLists {
  /** Default {@link DEFAULT_SUSPICION_POLICY}. */
  readonly policy?: SuspicionPolicy;
}

/** How much a tracker remembers. */
export interface SuspicionMemory {
  readonly numbers: number;
  readonly trunks: number;
  readonly signers: number;
  /** Calls of which further legs are recognised. */
  readonly calls: number;
}

/** Judges calls by what was seen of others before them. Keeps bounded memory, has no clock and no dice of its own. */
export interface SuspicionTracker {
  /**
   * Takes a record into account and judges it. Records come roughly in the order of their time; those of the same time may come in
   * any order. Further legs of a call are judged, but counted once. Never throws for what a record holds.
   * @param record - as written, or as a carrier has shared it
   * @param reporter - whose record it is, where one tracker judges the records of several carriers: trunks and pseudonyms of
   * different carriers have nothing in common. Default none
   */
  readonly judge: (record: JudgedRecord, reporter?: string) => Suspicion;
  readonly memory: () => SuspicionMemory;
}

/** A tracker whose memory can be saved, and taken up by another. */
export interface SavedSuspicionTracker extends SuspicionTracker {
  /**
   * What it has learned, to be written out before the next call is judged: large arrays are not copied. It holds hashes of numbers, and no
   * number.
   */
  readonly state: () => SuspicionTrackerState;
  /**
   * Goes on where another tracker was, before it has judged anything.
   * @param saved - state of a tracker of the same release with the same policy
   * @throws RangeError where the tables are larger than those of its policy
   */
  readonly restore: (saved: SuspicionTrackerState) => void;
}

/**
 * Starts judging calls. The same records in the same order are always judged alike.
 * @param options - policy and the lists that the carrier has
 * @returns a tracker that has seen nothing yet
 * @throws {@link HopbackError} `invalid-configuration` when the policy is out of its bounds
 * @see 47 CFR 64.1200(k) for what may be blocked on such grounds
 * @example
 * ```ts
 * const tracker = createSuspicionTracker({ doNotOriginate: new Set(['12025550199']) });
 * console.log(tracker.memory().numbers); // 0
 * ```
 */
export function createSuspicionTracker(options: SuspicionTrackerOptions = {}): SavedSuspicionTracker {
  const policy = structuredClone(options.policy ?? DEFAULT_SUSPICION_POLICY);
  checkSuspicionPolicy(policy);
  const lists: SuspicionLists = options;
  const { limits } = policy;
  const halfUs = policy.windowHours * HALF_HOUR_US;
  const rows = createDiallingRows({
    limit: limits.rows,
    step: policy.sequentialDialling.step,
    gapUs: policy.sequentialDialling.gapSeconds * 1_000_000,
    longest: Math.min(MAX_ROW, Math.ceil(policy.sequentialDialling.full)),
  });
  let half = 0;
  let groupsMade = 0;
  const numbers = createNumberCounts(limits.numbers);
  const makeGroup = (): GroupMemory => {
    groupsMade = (groupsMade + 1) % MAX_DIALLING_GROUP;
    return createGroupMemory(groupsMade, half);
  };
  const trunks = createBoundedTable<GroupMemory>(limits.trunks, makeGroup);
  const signers = createBoundedTable<GroupMemory>(limits.signers, makeGroup);
  const calls = createRecentCalls(limits.calls);
  const signed = createCallCounts(0, false);

  const judge = (record: JudgedRecord, reporter = ''): Suspicion => {
    const facts = callFacts(record);
    half = Math.floor(facts.atUs / halfUs);
    const calling = readCalling(record, policy, lists);
    const marks = marksOf(facts, { record, calling, policy });
    const number =
      facts.callingKey === undefined
        ? undefined
        : numbers.at(
            facts.isCallingVeiled ? hashText52(ofReporter(reporter, facts.callingKey)) : marks.callingHash,
            half,
          );
    const trunk =
      facts.trunk === undefined
        ? undefined
        : trunks.at(hashText52(ofReporter(reporter, populationOf(facts.trunk, facts))));
    const signer = facts.signer === undefined ? undefined : signers.at(hashText52(populationOf(facts.signer, facts)));
    // A leg that was refused here is none that others could have answered.
    const legs = facts.isOffered ? calls.note(ofReporter(reporter, record.callGroupId), facts.isAnswered) : 'answered';
    const halves = [];
    if (number !== undefined) halves.push(rollTo(number, half));
    if (trunk !== undefined) halves.push(rollGroupTo(trunk, half));
    if (signer !== undefined) halves.push(rollGroupTo(signer, half), rollTo(signed, half));
    if (legs === 'none') {
      for (const counts of halves) countCall(counts, facts, marks);
      if (trunk !== undefined && facts.callingNpaNxx >= 0 && !marks.isNeighbour) {
        countArea(trunk, facts.callingNpaNxx);
      }
    } else if (facts.isAnswered && legs === 'unanswered') {
      for (const counts of halves) countLateAnswer(counts, facts, marks);
    }
    const row =
      trunk === undefined || facts.calledNational < 0 ? 0 : rows.note(trunk.index, facts.calledNational, facts.atUs);
    const sinceUs = Math.max(0, (half - 1) * halfUs);
    const { signals, notJudged } = findSignals({
      policy,
      lists,
      record,
      facts,
      calling,
      number,
      trunk,
      signer,
      signed,
      row,
      sinceUs,
    });
    if (number !== undefined) numbers.keep();
    const score = scoreOf(signals, policy);
    return { score, level: levelOf(score, policy), policyId: policy.id, signals, notJudged };
  };
  return {
    judge,
    memory: () => ({ numbers: numbers.size(), trunks: trunks.size(), signers: signers.size(), calls: calls.size() }),
    state: () => ({
      ...{
        half,
        groupsMade,
        numbers: numbers.state(),
        trunks: savedGroups(trunks),
        signers: savedGroups(signers),
      },
      ...{ signed: packedCounts(signed), calls: calls.state(), rows: rows.state() },
    }),
    restore: (saved) => {
      ({ half, groupsMade } = saved);
      numbers.restore(saved.numbers);
      restoreGroups(trunks, saved.trunks);
      restoreGroups(signers, saved.signers);
      unpackInto(signed, saved.signed, 0);
      calls.restore(saved.calls);
      rows.restore(saved.rows);
    },
  };
}

/** A longer row is no surer, and every number of it is walked over at every call. */
const MAX_ROW = 64;

/**
 * Domestic and other numbers on one trunk, or with one signer, are two populations: who calls home from abroad is not to be taken for
 * who shows a domestic number there.
 */
function populationOf(group: string, { callingNpaNxx }: CallFacts): string {
  return callingNpaNxx < 0 ? `${group}\tabroad` : group;
}

function ofReporter(reporter: string, name: string): string {
  return reporter === '' ? name : `${reporter}\n${name}`;
}

function marksOf(
  facts: CallFacts,
  by: { readonly record: JudgedRecord; readonly calling: CallingReading; readonly policy: SuspicionPolicy },
): CallMarks {
  const { record, calling, policy } = by;
  const isShort = facts.seconds < policy.shortCallSeconds;
  const seen = record.received?.evidence?.seenCount ?? 0;
  const isReplayed = rampStrength(seen, policy.replayedPassport) > 0;
  return {
    isShort,
    isConversation: facts.seconds >= policy.conversationSeconds,
    isMarked: isShort || isReplayed || calling.isOnList || calling.finding !== undefined,
    isNeighbour: facts.callingNpaNxx >= 0 && facts.callingNpaNxx === facts.calledNpaNxx,
    calledHash: facts.calledKey === undefined ? 0 : hashText(facts.calledKey),
    callingHash: facts.callingKey === undefined ? 0 : hashText52(facts.callingKey),
  };
}

/** Independent doubts: what remains of trust is what remains after each. */
function scoreOf(signals: readonly SuspicionSignal[], { weights }: SuspicionPolicy): number {
  let trust = 1;
  for (const { name, strength } of signals) trust *= 1 - weights[name] * strength;
  return 1 - trust;
}

function levelOf(score: number, { levels }: SuspicionPolicy): Suspicion['level'] {
  if (score >= levels.suspicious) return 'suspicious';
  return score >= levels.watch ? 'watch' : 'none';
}
