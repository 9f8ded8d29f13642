import type { CallCounts } from './call-counts.js';
import type { CallFacts, JudgedRecord } from './call-facts.js';
import type { GroupMemory } from './call-groups.js';
import type { SignalRamp, SuspicionPolicy } from './suspicion-policy.js';
import { NOT_JUDGED_REASONS, SUSPICION_SIGNALS } from './suspicion.js';
import type {
  InvalidCallingFinding,
  NotJudgedReason,
  NotJudgedSignal,
  SuspicionSignal,
  SuspicionSignalName,
  SuspicionSubject,
} from './suspicion.js';

/** Lists that a carrier brings, all optional. */
export interface SuspicionLists {
  /** Numbers from which nobody calls, canonical (`12025550101`). */
  readonly doNotOriginate?: ReadonlySet<string>;
  /** Area codes (`202`), or area codes with exchange (`202456`), that are in use. Without it only the plan's own rules hold. */
  readonly allocated?: ReadonlySet<string>;
  /** Area codes of which a trunk is, by the trunk's name. Of a trunk that is not here it is learned from its callers. */
  readonly trunkAreas?: Readonly<Record<string, readonly string[]>>;
}

/** All that signals of one call are made of. */
export interface SignalContext {
  readonly policy: SuspicionPolicy;
  readonly lists: SuspicionLists;
  readonly record: JudgedRecord;
  readonly facts: CallFacts;
  readonly calling: CallingReading;
  readonly number: CallCounts | undefined;
  readonly trunk: GroupMemory | undefined;
  readonly signer: GroupMemory | undefined;
  /** All calls of signers known by name. */
  readonly signed: CallCounts;
  /** Length of the row of called numbers that the call is in; 0 where it cannot be told. */
  readonly row: number;
  /** From when calls count. */
  readonly sinceUs: number;
}

/** What is to be said of the calling numbers of a record by the numbering plan and the lists. */
export interface CallingReading {
  readonly isOnList: boolean;
  /** The worst finding, with how bad it is, 0 to 1. */
  readonly finding?: InvalidCallingFinding;
  readonly strength: number;
}

/** Collects what speaks against a call and what cannot be judged, each in the order of the list of signals. */
export interface Findings {
  readonly signals: SuspicionSignal[];
  readonly notJudged: NotJudgedSignal[];
}

/** Trunk and signer that speak about a call. */
export type Groups = readonly (GroupMemory | undefined)[];

/** Strength at the threshold: what is worth naming is worth something. */
const STRENGTH_AT_THRESHOLD = 0.5;

/** Strength of a value on a ramp that rises or falls; 0 where the threshold is not reached. */
export function rampStrength(value: number, { from, full }: SignalRamp): number {
  const isRising = full >= from;
  if (!(isRising ? value >= from : value <= from)) return 0;
  if (full === from) return 1;
  const way = Math.min(1, (value - from) / (full - from));
  return STRENGTH_AT_THRESHOLD + (1 - STRENGTH_AT_THRESHOLD) * way;
}

/** Adds what speaks against a call. */
export function add(
  found: Findings,
  name: SuspicionSignalName,
  about: SuspicionSubject,
  rest: Pick<SuspicionSignal, 'strength' | 'observed' | 'threshold' | 'evidence'>,
): void {
  found.signals.push({
    name,
    about,
    strength: rest.strength,
    observed: rest.observed,
    threshold: rest.threshold,
    evidence: rest.evidence,
  });
}

/** Adds what cannot be judged, and why. */
export function cannot(found: Findings, name: SuspicionSignalName, why: NotJudgedReason): void {
  found.notJudged.push(NOT_JUDGED[name][why]);
}

/** Made once: most records have several of them. */
const NOT_JUDGED = Object.fromEntries(
  SUSPICION_SIGNALS.map((name) => [
    name,
    Object.fromEntries(NOT_JUDGED_REASONS.map((why) => [why, Object.freeze({ name, why })])),
  ]),
) as Readonly<Record<SuspicionSignalName, Readonly<Record<NotJudgedReason, NotJudgedSignal>>>>;
