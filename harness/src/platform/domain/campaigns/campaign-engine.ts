import type { AppReport } from '@hopback/sdk/platform';
import { createSuspicionTracker, DEFAULT_SUSPICION_POLICY } from '@hopback/sdk/records';
import type {
  SavedSuspicionTracker,
  SuspicionLists,
  SuspicionPolicy,
  SuspicionTrackerState,
} from '@hopback/sdk/records';
import type { LiveRecord } from '../../core/index.js';
import { applyDecision } from './analyst-decision.js';
import type { AnalystDecision, DecisionOutcome } from './analyst-decision.js';
import { createCampaignBook } from './campaign-book.js';
import type { CampaignBookState, CampaignNews } from './campaign-book.js';
import type { CampaignFile } from './campaign-file.js';
import { DEFAULT_CAMPAIGN_LIMITS, DEFAULT_CAMPAIGN_POLICY, WAYS_OF_CALLING } from './campaign-policy.js';
import type { CampaignLimits, CampaignPolicy } from './campaign-policy.js';
import { createCallGroups, evidenceOfWay } from './call-group.js';
import type { CallGroupsState } from './call-group.js';
import { callNote } from './call-note.js';
import { addTranscript, createContentCluster } from './content-cluster.js';
import { createContentTable } from './content-table.js';
import type { ContentTableState } from './content-table.js';
import { contentsOf, holdKey } from './engine-parts.js';
import type { EngineParts } from './engine-parts.js';
import { evidenceTables } from './evidence-of-call.js';
import { keyHash } from './key-hash.js';
import { createNumberMemory } from './number-memory.js';
import type { NumberMemoryState } from './number-memory.js';
import { detectByRecord } from './record-detection.js';
import type { RecordDetection } from './record-detection.js';
import { detectByReport, meetWaitingReport } from './report-detection.js';
import { createKnownEvidence } from './known-evidence.js';
import type { KnownEvidence, KnownEvidenceTable } from './known-evidence.js';
import { placeRecord } from './count-evidence.js';
import { createPlacedCalls, placedCallsState, restorePlacedCalls } from './placed-call.js';
import type { PlacedCallsState } from './placed-call.js';
import { createSeenCalls } from './seen-calls.js';
import type { SeenCalls, SeenCallsState } from './seen-calls.js';
import { createScriptIndex, nameOfScript } from './scripts/index.js';
import type { ScriptIndexLimits, ScriptIndexState } from './scripts/index.js';

/** What an engine is made with. */
export interface CampaignEngineOptions extends Omit<SuspicionLists, 'trunkAreas'> {
  /** Makes the id of a new campaign, `c-0192…`. */
  readonly newId: () => string;
  /** Default {@link DEFAULT_CAMPAIGN_POLICY}. */
  readonly policy?: CampaignPolicy;
  readonly limits?: Partial<CampaignLimits>;
  /** How single calls are judged. Default that of the sdk, with room for trunks and signers of many carriers. */
  readonly suspicion?: SuspicionPolicy;
  readonly scriptLimits?: Partial<ScriptIndexLimits>;
}

/** A group or script that is unlike ordinary traffic, but not so that it is a campaign. */
export interface WatchedGroup {
  /** `signer:707S`; of single numbers there is none. */
  readonly group: string;
  readonly way: string;
  /** Sum of evidence, and from where on it is a campaign. */
  readonly evidence: number;
  readonly alarmAt: number;
  readonly calls: number;
}

/**
 * Brings calls together to campaigns, one by one as they come. One thread, no clock, no randomness: the same calls and decisions in
 * the same order give the same campaigns.
 */
export interface CampaignEngine {
  /** Takes a record into account, once: a repeat changes nothing. Never throws for what a record holds. */
  readonly record: (live: LiveRecord) => void;
  /** Takes a report into account, once. Never throws for what a report holds. */
  readonly report: (appId: string, report: AppReport, receivedAtMs: number) => void;
  /** Lets time go on: campaigns without calls become dormant, and closed. */
  readonly tick: (nowMs: number) => void;
  /** An analyst's word, which holds for calls to come. */
  readonly decide: (decision: AnalystDecision) => DecisionOutcome;
  /** Whether something is new that others rest on: what only grew is not. */
  readonly hasChanges: () => boolean;
  /** What is new since it was last asked. */
  readonly take: () => readonly CampaignNews[];
  readonly campaigns: () => IterableIterator<CampaignFile>;
  /** Under the id it has now, after mergers. */
  readonly campaign: (campaignId: string) => CampaignFile | undefined;
  /** Takes up campaigns as they were stored, oldest first, before anything else. */
  readonly restore: (file: CampaignFile) => void;
  /**
   * Marks records and reports as counted already, before or after live data are read again after a restart: what is read again of them is counted no
   * more, but what comes later of the same calls is counted with them.
   */
  readonly known: (counted: Iterable<KnownEvidence>) => void;
  /** Live data have been read again: what was marked and neither read nor heard is forgotten. */
  readonly replayed: () => void;
  /** What is on watch: the strongest first, at most so many. */
  readonly watched: (limit: number) => readonly WatchedGroup[];
  /** Counts of what it holds, for metrics. */
  readonly memory: () => Readonly<Record<'groups' | 'contents' | 'campaigns' | 'numbersOnWatch', number>>;
  /** Version of {@link CampaignEngine.state}: another one for every other form of it, policy or limit. */
  readonly stateVersion: string;
  /**
   * Everything it has learned, as plain values for `encodeState`. Nothing is copied: the engine must hear nothing until it is written. Holds
   * telephone numbers and transcripts.
   */
  readonly state: () => object;
  /**
   * Goes on where another engine of the same version was; what this one has heard is forgotten.
   * @throws what a state of another form throws; the engine is then as it was before
   */
  readonly restoreState: (state: object) => void;
  /**
   * Campaigns that the other engine found later, by the ids of their calls: found again, they have the same ids. An empty map ends it.
   */
  readonly expect: (stored: ReadonlyMap<string, string>) => void;
}

/** Form of what {@link CampaignEngine.state} gives: to be raised with every change of what the tables hold. */
const STATE_FORM = 4;

/** Of many carriers: each has some trunks and is judged by its own. A quarter of a gigabyte where all are in use. */
const SUSPICION_LIMITS = { ...DEFAULT_SUSPICION_POLICY.limits, numbers: 524_288, trunks: 16_384, signers: 8_192 };

/**
 * Starts the detection of campaigns.
 * @param options - ids, policies and limits
 * @returns an engine that has seen nothing yet
 * @throws HopbackError `invalid-configuration` when the suspicion policy is out of its bounds
 */
export function createCampaignEngine(options: CampaignEngineOptions): CampaignEngine {
  const suspicion = options.suspicion ?? { ...DEFAULT_SUSPICION_POLICY, limits: SUSPICION_LIMITS };
  let memory = engineMemory(options, suspicion);
  const { policy } = memory.parts;
  return {
    record: (live) => {
      const { parts, tracker, seen, known } = memory;
      if (seen.isRepeat('record', live.providerId, live.record.recordId)) return known.placeRecord(live);
      const note = callNote(live, policy);
      const judgement = tracker.judge(live.record, live.providerId);
      const met = placeRecord(parts.records, note, live);
      detectByRecord(parts.records, live, { note, suspicion: judgement });
      for (const waiting of met) meetWaitingReport(parts.reports, note, waiting);
    },
    report: (appId, report, receivedAtMs) => {
      const { parts, seen, known } = memory;
      const received = { appId, report, receivedAtMs };
      if (seen.isRepeat('report', appId, report.reportId)) return known.placeReport(received);
      detectByReport(parts.reports, received);
    },
    tick: (nowMs) => {
      const { parts } = memory;
      for (const file of parts.book.files()) letTimePass(parts, file, nowMs);
    },
    decide: (decision) => applyDecision(memory.parts, decision),
    hasChanges: () => memory.parts.book.hasChanges(),
    take: () => memory.parts.book.take(),
    campaigns: () => memory.parts.book.files(),
    campaign: (campaignId) => memory.parts.book.file(campaignId),
    restore: (file) => restoreCampaign(memory.parts, file),
    known: (counted) => {
      const { seen, known } = memory;
      for (const one of counted) {
        const { reporterId, recordId, reportId } = one;
        if (recordId !== undefined) seen.isRepeat('record', reporterId, recordId);
        else if (reportId !== undefined) seen.isRepeat('report', reporterId, reportId);
        known.note(one);
      }
    },
    replayed: () => memory.known.settle(),
    watched: (limit) => watchedGroups(memory.parts, limit),
    memory: () => {
      const { book, records, reports } = memory.parts;
      return {
        groups: records.groups.size(),
        contents: reports.contents.size(),
        campaigns: [...book.files()].length,
        numbersOnWatch: records.watched.size,
      };
    },
    stateVersion: versionOf({ policy, suspicion, limits: options.limits, scriptLimits: options.scriptLimits }),
    state: () => ({ ...stateOf(memory.parts), tracker: memory.tracker.state(), seen: memory.seen.state() }),
    restoreState: (state) => {
      const saved = state as EngineState;
      // Into tables of their own: half of a state is worse than none.
      const restored = engineMemory(options, suspicion);
      restored.tracker.restore(saved.tracker);
      restored.seen.restore(saved.seen);
      restoreParts(restored.parts, saved);
      memory = restored;
    },
    expect: (stored) => memory.parts.book.expect(stored),
  };
}

/** Everything that an engine remembers. */
interface EngineMemory {
  readonly parts: EngineParts;
  readonly tracker: SavedSuspicionTracker;
  readonly seen: SeenCalls;
  readonly known: KnownEvidenceTable;
}

function engineMemory(options: CampaignEngineOptions, suspicion: SuspicionPolicy): EngineMemory {
  const parts = engineParts(options);
  const tracker = createSuspicionTracker({
    policy: suspicion,
    ...(options.doNotOriginate !== undefined && { doNotOriginate: options.doNotOriginate }),
    ...(options.allocated !== undefined && { allocated: options.allocated }),
  });
  return { parts, tracker, seen: createSeenCalls(), known: createKnownEvidence(parts.records.calls) };
}

/** Everything that two engines have to have in common for one to go on where the other was. */
const versionOf = (settings: object): string =>
  keyHash(JSON.stringify([STATE_FORM, settings]))
    .toString(16)
    .padStart(13, '0');

interface PartsState {
  readonly book: CampaignBookState;
  readonly groups: CallGroupsState;
  readonly numbers: NumberMemoryState;
  readonly numberOwners: ReadonlyMap<number, string>;
  readonly sharing: RecordDetection['sharing'];
  readonly watched: RecordDetection['watched'];
  readonly scripts: ScriptIndexState;
  readonly contents: ContentTableState;
  readonly calls: PlacedCallsState;
}

interface EngineState extends PartsState {
  readonly tracker: SuspicionTrackerState;
  readonly seen: SeenCallsState;
}

function stateOf({ book, records, reports }: EngineParts): PartsState {
  return {
    ...{ book: book.state(), groups: records.groups.state(), numbers: records.numbers.state() },
    ...{ numberOwners: records.numberOwners, sharing: records.sharing, watched: records.watched },
    ...{ scripts: reports.scripts.state(), contents: reports.contents.state() },
    calls: placedCallsState(records.calls),
  };
}

function restoreParts({ book, records, reports }: EngineParts, saved: PartsState): void {
  book.restoreState(saved.book);
  records.groups.restore(saved.groups);
  records.numbers.restore(saved.numbers);
  for (const [number, campaignId] of saved.numberOwners) records.numberOwners.set(number, campaignId);
  for (const [carrier, sharing] of saved.sharing) records.sharing.set(carrier, sharing);
  for (const [number, watched] of saved.watched) records.watched.set(number, watched);
  reports.scripts.restore(saved.scripts);
  reports.contents.restore(saved.contents);
  restorePlacedCalls(records.calls, saved.calls);
}

function engineParts(options: CampaignEngineOptions): EngineParts {
  const policy = options.policy ?? DEFAULT_CAMPAIGN_POLICY;
  const limits = { ...DEFAULT_CAMPAIGN_LIMITS, ...options.limits };
  const tables = evidenceTables(policy);
  const book = createCampaignBook({ newId: options.newId, limit: limits.campaigns });
  const numberOwners = new Map<number, string>();
  const numbers = createNumberMemory(limits.numbers);
  const calls = createPlacedCalls(policy, limits);
  return {
    policy,
    book,
    records: {
      ...{ policy, tables, book, calls, numbers, numberOwners },
      groups: createCallGroups(limits.groups, { tables, headStart: policy.headStart }),
      sharing: new Map(),
      watched: new Map(),
    },
    reports: {
      ...{ policy, book, calls, numbers, numberOwners },
      scripts: createScriptIndex(options.scriptLimits === undefined ? {} : { limits: options.scriptLimits }),
      contents: createContentTable(limits.contents),
    },
  };
}

const DAY_MS = 86_400_000;

function letTimePass({ book, policy }: EngineParts, file: CampaignFile, nowMs: number): void {
  const silentMs = nowMs - file.lastSeenMs;
  const { state } = file.standing;
  if (state === 'live' && silentMs >= policy.dormantAfterSeconds * 1_000) {
    file.standing = { state: 'dormant', because: 'no-calls', sinceMs: nowMs };
    book.touch(file, 'dormant');
  } else if (state === 'dormant' && silentMs >= policy.closedAfterDays * DAY_MS) {
    file.standing = { state: 'closed', because: 'silent-for-long', sinceMs: nowMs };
    book.touch(file);
  }
}

function restoreCampaign(parts: EngineParts, file: CampaignFile): void {
  parts.book.restore(file);
  const cluster = createContentCluster();
  cluster.campaignId = file.campaignId;
  let index = 0;
  for (const key of file.keys.values()) {
    index += 1;
    for (const content of contentsOf(parts, key, `restored:${file.campaignId}:${String(index)}`)) {
      parts.reports.contents.detach(content, cluster);
    }
    if (key.kind === 'script') addTranscript(cluster, key.transcript, key.language);
    holdKey(parts, file, key);
  }
  if (cluster.transcripts.length > 0) cluster.title = nameOfScript(cluster.transcripts.map(({ text }) => text));
}

function watchedGroups({ records, policy, book }: EngineParts, limit: number): readonly WatchedGroup[] {
  const found: WatchedGroup[] = [];
  for (const group of records.groups.all()) {
    for (const [way, name] of WAYS_OF_CALLING.entries()) {
      const evidence = evidenceOfWay(group, way);
      const calls = group.notes[way]?.length ?? 0;
      // What is new begins near the watch, before it has called.
      const isNew = name === 'snowshoe' && calls < policy.leastCalls;
      if (evidence < policy.watchAt || isNew || book.file(group.owners[way]) !== undefined) continue;
      found.push({
        ...{ group: group.key, way: name, evidence, calls },
        alarmAt: policy.alarmAt,
      });
    }
  }
  return found.toSorted((a, b) => b.evidence - a.evidence || keyHash(a.group) - keyHash(b.group)).slice(0, limit);
}
