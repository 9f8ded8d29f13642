import type { AppReport } from '@hopback/sdk/platform';
import type { SuspicionPolicy, SuspicionTrackerOptions } from '@hopback/sdk/records';
import { SuspicionTracker, DEFAULT_SUSPICION_POLICY } from '@hopback/sdk/records';
import type { LiveRecord } from '../../core/index.js';
import { createCallGroups, evidenceOfWay, raiseEvidence } from './call-group.js';
import { callNote, evidenceTables, numberKey } from './call-note.js';
import type { CampaignFile, CampaignKey } from './campaign-file.js';
import { CampaignBook, keyName } from './campaign-file.js';
import type { CampaignLimits, CampaignPolicy } from './campaign-policy.js';
import { DEFAULT_CAMPAIGN_LIMITS, DEFAULT_CAMPAIGN_POLICY, WAYS_OF_CALLING } from './campaign-policy.js';
import { addTranscript, createContentCluster, createContentTable } from './content-cluster.js';
import type { KnownEvidence, KnownEvidenceTable } from './count-evidence.js';
import { createKnownEvidence, placeRecord } from './count-evidence.js';
import type { SeenCalls } from './key-tables.js';
import { createNumberMemory, createSeenCalls, keyHash } from './key-tables.js';
import { createPlacedCalls, placedCallsState, restorePlacedCalls } from './placed-call.js';
import type { RecordDetection } from './record-detection.js';
import { detectByRecord } from './record-detection.js';
import type { ReportDetection } from './report-detection.js';
import { detectByReport, meetWaitingReport } from './report-detection.js';
import type { ScriptIndexLimits } from './scripts/types.js';
import { nameOfScript } from './scripts/name-of-script.js';
import { ScriptIndex } from './scripts/script-index.js';

/** Everything that detection stands on. */
interface EngineParts {
  readonly policy: CampaignPolicy;
  readonly book: CampaignBook;
  readonly records: RecordDetection;
  readonly reports: ReportDetection;
}

/** What a key leads to in the table of contents. */
function contentsOf({ reports }: EngineParts, key: CampaignKey, id: string): readonly string[] {
  switch (key.kind) {
    case 'script': {
      const placed = reports.scripts.add(id, key.transcript, key.language);
      return placed.kind === 'none' ? [] : [`script:${placed.scriptId}`];
    }
    case 'recording':
      return [`recording:${key.recording}`];
    case 'call-back-number':
      return [`call-back:${key.tn}`];
    case 'group':
    case 'calling-number':
      return [];
    default:
      return key satisfies never;
  }
}

/** Has the calls of a group or number counted for a campaign from now on. Never throws. */
function holdKey({ records }: EngineParts, file: CampaignFile, key: CampaignKey): void {
  if (key.kind === 'calling-number') records.numberOwners.set(numberKey(key.tn), file.campaignId);
  if (key.kind !== 'group') return;
  const way = WAYS_OF_CALLING.findIndex((name) => name === key.way);
  if (way < 0) return;
  const group = records.groups.at(key.group);
  group.owners[way] = file.campaignId;
  // It called when it was stored: it does not have to show anew that it is one.
  if (file.standing.state === 'live') raiseEvidence(group, way, records.policy.alarmAt);
}

/** What an analyst can say of a campaign. It holds until another says otherwise. */
export type AnalystDecision =
  | {
      readonly kind: 'merge';
      readonly campaignId: string;
      readonly into: string;
      readonly atMs: number;
    }
  /** Scripts, recordings, groups and numbers, by their names in the campaign, that are a campaign of their own. */
  | {
      readonly kind: 'split';
      readonly campaignId: string;
      readonly keys: readonly string[];
      readonly atMs: number;
    }
  | {
      readonly kind: 'rename';
      readonly campaignId: string;
      readonly name: string;
    }
  | {
      readonly kind: 'close';
      readonly campaignId: string;
      readonly atMs: number;
    }
  | {
      readonly kind: 'reopen';
      readonly campaignId: string;
      readonly atMs: number;
    }
  /** No campaign: whoever calls may do so. What holds it together is known from then on, and not raised again. */
  | {
      readonly kind: 'lawful';
      readonly campaignId: string;
      readonly atMs: number;
    };

/** What became of a decision. */
type DecisionOutcome =
  { readonly status: 'done'; readonly file: CampaignFile } | { readonly status: 'refused'; readonly reason: Refusal };

type Refusal = 'no-such-campaign' | 'same-campaign' | 'no-such-key' | 'nothing-left' | 'name-taken';

/** Carries a decision out. Never throws. */
function applyDecision(parts: EngineParts, decision: AnalystDecision): DecisionOutcome {
  const { book } = parts;
  const file = book.file(decision.campaignId);
  if (file === undefined) return refused('no-such-campaign');
  switch (decision.kind) {
    case 'merge':
      return merge(parts, file, decision);
    case 'split':
      return split(parts, file, decision);
    case 'rename': {
      for (const other of book.files()) {
        if (other !== file && other.mergedInto === undefined && other.name === decision.name)
          return refused('name-taken');
      }
      file.name = decision.name;
      file.isNamedByAnalyst = true;
      break;
    }
    case 'close':
      file.standing = { state: 'closed', because: 'closed-by-analyst', sinceMs: decision.atMs };
      break;
    case 'lawful':
      file.standing = { state: 'closed', because: 'lawful', sinceMs: decision.atMs };
      break;
    case 'reopen': {
      const isLive = decision.atMs - file.lastSeenMs < parts.policy.dormantAfterSeconds * 1_000;
      file.standing = isLive
        ? { state: 'live', because: 'calls-came', sinceMs: decision.atMs }
        : { state: 'dormant', because: 'no-calls', sinceMs: decision.atMs };
      book.touch(file, isLive ? 'live' : 'dormant');
      break;
    }
  }
  book.touch(file);
  return { status: 'done', file };
}

const refused = (reason: Refusal): DecisionOutcome => ({ status: 'refused', reason });

function merge(
  { book }: EngineParts,
  from: CampaignFile,
  { into, atMs }: Extract<AnalystDecision, { kind: 'merge' }>,
): DecisionOutcome {
  const target = book.file(into);
  if (target === undefined) return refused('no-such-campaign');
  if (target === from) return refused('same-campaign');
  // Whoever merges takes back that they were kept apart.
  target.apartFrom.delete(from.campaignId);
  from.apartFrom.delete(target.campaignId);
  for (const apart of from.apartFrom) target.apartFrom.add(apart);
  book.join(target, from, atMs);
  return { status: 'done', file: target };
}

function split(
  parts: EngineParts,
  file: CampaignFile,
  { keys, atMs }: Extract<AnalystDecision, { kind: 'split' }>,
): DecisionOutcome {
  const moved: CampaignKey[] = [];
  for (const name of new Set(keys)) {
    const key = file.keys.get(name);
    if (key === undefined) return refused('no-such-key');
    moved.push(key);
  }
  if (moved.length === 0 || moved.length === file.keys.size) return refused('nothing-left');
  const transcripts = moved.flatMap((key) => (key.kind === 'script' ? [key.transcript] : []));
  const title = transcripts.length === 0 ? undefined : nameOfScript(transcripts);
  const other = parts.book.open(atMs, { name: title?.name ?? file.name, kind: title?.class ?? file.kind }, []);
  other.apartFrom.add(file.campaignId);
  file.apartFrom.add(other.campaignId);
  const cluster = createContentCluster();
  cluster.campaignId = other.campaignId;
  cluster.title = title;
  for (const key of moved) {
    file.keys.delete(keyName(key));
    parts.book.hold(other, key);
    holdKey(parts, other, key);
    for (const content of contentsOf(parts, key, `split:${other.campaignId}:${keyName(key)}`)) {
      parts.reports.contents.detach(content, cluster);
    }
    if (key.kind !== 'script') continue;
    addTranscript(cluster, key.transcript, key.language);
    parts.book.hear(other, key.transcript);
    const at = file.transcripts.indexOf(key.transcript);
    if (at >= 0) file.transcripts.splice(at, 1);
  }
  parts.book.touch(file);
  return { status: 'done', file: other };
}

/** What an engine is made with. */
export interface CampaignEngineOptions extends Pick<SuspicionTrackerOptions, 'doNotOriginate' | 'allocated'> {
  /** Makes the id of a new campaign, `c-0192…`. */
  readonly newId: () => string;
  /** Default {@link DEFAULT_CAMPAIGN_POLICY}. */
  readonly policy?: CampaignPolicy;
  readonly limits?: Partial<CampaignLimits>;
  /** How single calls are judged. Default that of the sdk, with room for trunks and signers of many carriers. */
  readonly suspicion?: SuspicionPolicy;
  readonly scriptLimits?: Partial<ScriptIndexLimits>;
}

/**
 * Brings calls together to campaigns, one by one as they come. One thread, no clock, no randomness: the same calls and decisions in
 * the same order give the same campaigns.
 */
export type CampaignEngine = ReturnType<typeof createCampaignEngine>;

/** Form of a stored state. Raise it when the tables or the packing of a snapshot change: an older snapshot is then not read. */
const STATE_FORM = 5;

/** Of many carriers: each has some trunks and is judged by its own. A quarter of a gigabyte where all are in use. */
const SUSPICION_LIMITS = { ...DEFAULT_SUSPICION_POLICY.limits, numbers: 524_288, trunks: 16_384, signers: 8_192 };

/**
 * Starts the detection of campaigns.
 * @param options - ids, policies and limits
 * @returns an engine that has seen nothing yet
 * @throws HopbackError `invalid-configuration` when the suspicion policy is out of its bounds
 */
export function createCampaignEngine(options: CampaignEngineOptions) {
  const suspicion = options.suspicion ?? { ...DEFAULT_SUSPICION_POLICY, limits: SUSPICION_LIMITS };
  let memory = engineMemory(options, suspicion);
  const { policy } = memory.parts;
  return {
    /** Takes a record into account, once: a repeat changes nothing. Never throws for what a record holds. */
    record: (live: LiveRecord): void => {
      const { parts, tracker, seen, known } = memory;
      if (seen.isRepeat('record', live.providerId, live.record.recordId)) return known.placeRecord(live);
      const note = callNote(live, policy);
      const judgement = tracker.judge(live.record, live.providerId);
      const met = placeRecord(parts.records, note, live);
      detectByRecord(parts.records, live, { note, suspicion: judgement });
      for (const waiting of met) meetWaitingReport(parts.reports, note, waiting);
    },
    /** Takes a report into account, once. Never throws for what a report holds. */
    report: (appId: string, report: AppReport, receivedAtMs: number): void => {
      const { parts, seen, known } = memory;
      const received = { appId, report, receivedAtMs };
      if (seen.isRepeat('report', appId, report.reportId)) return known.placeReport(received);
      detectByReport(parts.reports, received);
    },
    /** Lets time go on: campaigns without calls become dormant, and closed. */
    tick: (nowMs: number): void => {
      const { parts } = memory;
      for (const file of parts.book.files()) letTimePass(parts, file, nowMs);
    },
    /** An analyst's word, which holds for calls to come. */
    decide: (decision: AnalystDecision) => applyDecision(memory.parts, decision),
    /** Whether something is new that others rest on: what only grew is not. */
    hasChanges: () => memory.parts.book.hasChanges(),
    /** What is new since it was last asked. */
    take: () => memory.parts.book.take(),
    campaigns: () => memory.parts.book.files(),
    /** Under the id it has now, after mergers. */
    campaign: (campaignId: string) => memory.parts.book.file(campaignId),
    /** Takes up campaigns as they were stored, oldest first, before anything else. */
    restore: (file: CampaignFile) => restoreCampaign(memory.parts, file),
    /**
     * Marks records and reports as counted already, before or after live data are read again after a restart: what is read again of them is counted no
     * more, but what comes later of the same calls is counted with them.
     */
    known: (counted: Iterable<KnownEvidence>): void => {
      const { seen, known } = memory;
      for (const one of counted) {
        const { reporterId, recordId, reportId } = one;
        if (recordId !== undefined) seen.isRepeat('record', reporterId, recordId);
        else if (reportId !== undefined) seen.isRepeat('report', reporterId, reportId);
        known.note(one);
      }
    },
    /** Live data have been read again: what was marked and neither read nor heard is forgotten. */
    replayed: () => memory.known.settle(),
    /** What is on watch: the strongest first, at most so many. */
    watched: (limit: number) => watchedGroups(memory.parts, limit),
    /** Version of `state`: another one for every other form of it, policy or limit. */
    stateVersion: versionOf({ policy, suspicion, limits: options.limits, scriptLimits: options.scriptLimits }),
    /**
     * Everything it has learned, as plain values for `encodeState`. Nothing is copied: the engine must hear nothing until it is written. Holds
     * telephone numbers and transcripts.
     */
    state: () => stateOf(memory),
    /**
     * Goes on where another engine of the same version was; what this one has heard is forgotten.
     * @throws what a state of another form throws; the engine is then as it was before
     */
    restoreState: (state: object): void => {
      // Into tables of their own: half of a state is worse than none.
      const restored = engineMemory(options, suspicion);
      restoreMemory(restored, state as ReturnType<typeof stateOf>);
      memory = restored;
    },
    /** Campaigns that the other engine found later, by the ids of their calls: found again, they have the same ids. An empty map ends it. */
    expect: (stored: ReadonlyMap<string, string>) => memory.parts.book.expect(stored),
  };
}

/** Everything that an engine remembers. */
interface EngineMemory {
  readonly parts: EngineParts;
  readonly tracker: SuspicionTracker;
  readonly seen: SeenCalls;
  readonly known: KnownEvidenceTable;
}

function engineMemory(options: CampaignEngineOptions, suspicion: SuspicionPolicy): EngineMemory {
  const parts = engineParts(options);
  const tracker = new SuspicionTracker({
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

function stateOf({ parts: { book, records, reports }, tracker, seen }: EngineMemory) {
  return {
    book: book.state(),
    groups: records.groups.state(),
    numbers: records.numbers.state(),
    numberOwners: records.numberOwners,
    sharing: records.sharing,
    watched: records.watched,
    scripts: reports.scripts.state(),
    contents: reports.contents.state(),
    calls: placedCallsState(records.calls),
    tracker: tracker.state(),
    seen: seen.state(),
  };
}

function restoreMemory(memory: EngineMemory, saved: ReturnType<typeof stateOf>): void {
  const { book, records, reports } = memory.parts;
  memory.tracker.restore(saved.tracker);
  memory.seen.restore(saved.seen);
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
  const book = new CampaignBook({ newId: options.newId, limit: limits.campaigns });
  const numberOwners = new Map<number, string>();
  const numbers = createNumberMemory(limits.numbers);
  const calls = createPlacedCalls(policy, limits);
  return {
    policy,
    book,
    records: {
      policy,
      tables,
      book,
      calls,
      numbers,
      numberOwners,
      groups: createCallGroups(limits.groups, { tables, headStart: policy.headStart }),
      sharing: new Map(),
      watched: new Map(),
    },
    reports: {
      policy,
      book,
      calls,
      numbers,
      numberOwners,
      scripts: new ScriptIndex(options.scriptLimits === undefined ? {} : { limits: options.scriptLimits }),
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

function watchedGroups({ records, policy, book }: EngineParts, limit: number) {
  const found: {
    group: string;
    way: string;
    evidence: number;
    alarmAt: number;
    calls: number;
  }[] = [];
  for (const group of records.groups.all()) {
    for (const [way, name] of WAYS_OF_CALLING.entries()) {
      const evidence = evidenceOfWay(group, way);
      const calls = group.notes[way]?.length ?? 0;
      // What is new begins near the watch, before it has called.
      const isNew = name === 'snowshoe' && calls < policy.leastCalls;
      if (evidence < policy.watchAt || isNew || book.file(group.owners[way]) !== undefined) continue;
      found.push({
        group: group.key,
        way: name,
        evidence,
        calls,
        alarmAt: policy.alarmAt,
      });
    }
  }
  return found.toSorted((a, b) => b.evidence - a.evidence || keyHash(a.group) - keyHash(b.group)).slice(0, limit);
}
