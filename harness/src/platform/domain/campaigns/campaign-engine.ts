import type { AppReport } from '@hopback/sdk/platform';
import { createSuspicionTracker, DEFAULT_SUSPICION_POLICY } from '@hopback/sdk/records';
import type { SuspicionLists, SuspicionPolicy } from '@hopback/sdk/records';
import type { LiveRecord } from '../../core/index.js';
import { applyDecision } from './analyst-decision.js';
import type { AnalystDecision, DecisionOutcome } from './analyst-decision.js';
import { createCampaignBook } from './campaign-book.js';
import type { CampaignNews } from './campaign-book.js';
import type { CampaignFile } from './campaign-file.js';
import { DEFAULT_CAMPAIGN_LIMITS, DEFAULT_CAMPAIGN_POLICY, WAYS_OF_CALLING } from './campaign-policy.js';
import type { CampaignLimits, CampaignPolicy } from './campaign-policy.js';
import { createCallGroups, evidenceOfWay } from './call-group.js';
import { callNote } from './call-note.js';
import { addTranscript, createContentCluster } from './content-cluster.js';
import { createContentTable } from './content-table.js';
import { contentsOf, holdKey } from './engine-parts.js';
import type { EngineParts } from './engine-parts.js';
import { evidenceTables } from './evidence-of-call.js';
import { keyHash } from './key-hash.js';
import { createNumberMemory } from './number-memory.js';
import { detectByRecord } from './record-detection.js';
import { detectByReport, meetWaitingReport } from './report-detection.js';
import { createKnownEvidence } from './known-evidence.js';
import type { KnownEvidence } from './known-evidence.js';
import { placeRecord } from './count-evidence.js';
import { createPlacedCalls } from './placed-call.js';
import { createSeenCalls } from './seen-calls.js';
import { createScriptIndex, nameOfScript } from './scripts/index.js';
import type { ScriptIndexLimits } from './scripts/index.js';

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
   * Marks records and reports as counted already, before live data are read again after a restart: what is read again of them is counted no more, but
   * what comes later of the same calls is counted with them.
   */
  readonly known: (counted: Iterable<KnownEvidence>) => void;
  /** Live data have been read again: what was marked and not read is forgotten. */
  readonly replayed: () => void;
  /** What is on watch: the strongest first, at most so many. */
  readonly watched: (limit: number) => readonly WatchedGroup[];
  /** Counts of what it holds, for metrics. */
  readonly memory: () => Readonly<Record<'groups' | 'contents' | 'campaigns' | 'numbersOnWatch', number>>;
}

/** Of many carriers: each has some trunks and is judged by its own. A quarter of a gigabyte where all are in use. */
const SUSPICION_LIMITS = { ...DEFAULT_SUSPICION_POLICY.limits, numbers: 524_288, trunks: 16_384, signers: 8_192 };

/**
 * Starts the detection of campaigns.
 * @param options - ids, policies and limits
 * @returns an engine that has seen nothing yet
 * @throws HopbackError `invalid-configuration` when the suspicion policy is out of its bounds
 */
export function createCampaignEngine(options: CampaignEngineOptions): CampaignEngine {
  const parts = engineParts(options);
  const { book, policy } = parts;
  const tracker = createSuspicionTracker({
    policy: options.suspicion ?? { ...DEFAULT_SUSPICION_POLICY, limits: SUSPICION_LIMITS },
    ...(options.doNotOriginate !== undefined && { doNotOriginate: options.doNotOriginate }),
    ...(options.allocated !== undefined && { allocated: options.allocated }),
  });
  const seen = createSeenCalls();
  const known = createKnownEvidence(parts.records.calls);
  return {
    record: (live) => {
      if (seen.isRepeat('record', live.providerId, live.record.recordId)) return known.placeRecord(live);
      const note = callNote(live, policy);
      const suspicion = tracker.judge(live.record, live.providerId);
      const met = placeRecord(parts.records, note, live);
      detectByRecord(parts.records, live, { note, suspicion });
      for (const waiting of met) meetWaitingReport(parts.reports, note, waiting);
    },
    report: (appId, report, receivedAtMs) => {
      const received = { appId, report, receivedAtMs };
      if (seen.isRepeat('report', appId, report.reportId)) return known.placeReport(received);
      detectByReport(parts.reports, received);
    },
    tick: (nowMs) => {
      for (const file of book.files()) letTimePass(parts, file, nowMs);
    },
    decide: (decision) => applyDecision(parts, decision),
    hasChanges: book.hasChanges,
    take: book.take,
    campaigns: book.files,
    campaign: book.file,
    restore: (file) => restoreCampaign(parts, file),
    known: (counted) => {
      for (const one of counted) {
        const { reporterId, recordId, reportId } = one;
        if (recordId !== undefined) seen.isRepeat('record', reporterId, recordId);
        else if (reportId !== undefined) seen.isRepeat('report', reporterId, reportId);
        known.note(one);
      }
    },
    replayed: known.forget,
    watched: (limit) => watchedGroups(parts, limit),
    memory: () => ({
      groups: parts.records.groups.size(),
      contents: parts.reports.contents.size(),
      campaigns: [...book.files()].length,
      numbersOnWatch: parts.records.watched.size,
    }),
  };
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
