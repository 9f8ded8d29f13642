import type { AppReport } from '@hopback/sdk/platform';
import type { ReportedCall } from './call-note.js';
import { numberKey } from './call-note.js';
import type { CampaignPolicy } from './campaign-policy.js';
import type { NumberMemory } from './key-tables.js';
import type { ScriptClass, ScriptName } from './scripts/types.js';

/** Reports in which the same was heard: one script, one recording or one call-back number. */
export interface ContentCluster {
  /** Contents that lead here: `script:script-1`, `recording:…`, `call-back:+1…`. */
  readonly contents: Set<string>;
  reports: number;
  /** Different numbers called, and calling, up to {@link MAX_PARTIES} of each. */
  readonly called: Set<string>;
  readonly calling: Set<string>;
  /**
   * Reports that had a calling number; that say that the number shown was not the caller's; that have a good signature; and that say that what was
   * heard was a robocall, and not only that somebody calls very many.
   */
  numbered: number;
  spoofed: number;
  signed: number;
  accused: number;
  /** Transcripts that stand for it, numbers left out. */
  readonly transcripts: { readonly text: string; readonly language: string | undefined }[];
  title: ScriptName | undefined;
  campaignId: string | undefined;
  /** Reports that are counted when it becomes a campaign, the latest {@link MAX_WAITING}. */
  readonly waiting: ReportedCall[];
  /** Calls of carriers' records that its reports are about, by campaign that they were found to be of. */
  readonly met: Map<string, number>;
}

/** More do not tell more than that they are many. */
export const MAX_PARTIES = 256;
/** Reports of a script that is no campaign yet: it is one at the latest with ten, or it is none. */
export const MAX_WAITING = 64;
/** Campaigns that one script met. */
const MAX_MET = 32;
/** Transcripts that a script is named by: more have the same words. */
const MAX_TITLE_TRANSCRIPTS = 4;

/** Starts a cluster. Never throws. */
export function createContentCluster(): ContentCluster {
  return {
    contents: new Set(),
    reports: 0,
    called: new Set(),
    calling: new Set(),
    numbered: 0,
    spoofed: 0,
    signed: 0,
    accused: 0,
    transcripts: [],
    title: undefined,
    campaignId: undefined,
    waiting: [],
    met: new Map(),
  };
}

/** Reasons of applications that say that the number shown was not the caller's to use. */
const SPOOFED: ReadonlySet<AppReport['reason']> = new Set([
  'do-not-originate',
  'invalid-number',
  'verification',
  'neighbour-spoofing',
]);

/** Reasons of applications that say of what was heard, or of whoever said it, that it was a robocall. */
const ACCUSING: ReadonlySet<AppReport['reason']> = new Set(['content', 'subscriber', 'number-listed']);

/** Counts a report. Never throws. */
export function addToCluster(cluster: ContentCluster, report: AppReport, reported: ReportedCall): void {
  cluster.reports += 1;
  const called = report.called.shown === 'number' ? report.called.tn : report.called.pseudonym;
  if (cluster.called.size < MAX_PARTIES) cluster.called.add(called);
  if (report.calling !== undefined) {
    cluster.numbered += 1;
    if (cluster.calling.size < MAX_PARTIES) cluster.calling.add(report.calling);
  }
  if (SPOOFED.has(report.reason) || report.verstat === 'TN-Validation-Failed') cluster.spoofed += 1;
  if (report.verstat === 'TN-Validation-Passed') cluster.signed += 1;
  if (ACCUSING.has(report.reason)) cluster.accused += 1;
  if (cluster.campaignId !== undefined) return;
  if (cluster.waiting.length >= MAX_WAITING) cluster.waiting.shift();
  cluster.waiting.push(reported);
}

/** Keeps a transcript if it helps to name the cluster; says whether it was kept. Never throws. */
export function addTranscript(cluster: ContentCluster, text: string, language: string | undefined): boolean {
  if (cluster.transcripts.length >= MAX_TITLE_TRANSCRIPTS) return false;
  if (cluster.transcripts.some((known) => known.text === text)) return false;
  cluster.transcripts.push({ text, language });
  return true;
}

/** Takes over what another cluster has. Never throws. */
function joinClusters(into: ContentCluster, from: ContentCluster): void {
  for (const content of from.contents) into.contents.add(content);
  for (const side of ['called', 'calling'] as const) {
    for (const number of from[side]) if (into[side].size < MAX_PARTIES) into[side].add(number);
  }
  for (const count of ['reports', 'numbered', 'spoofed', 'signed', 'accused'] as const) into[count] += from[count];
  for (const { text, language } of from.transcripts) addTranscript(into, text, language);
  for (const [campaignId, count] of from.met) meet(into, campaignId, count);
  for (const reported of from.waiting) if (into.waiting.length < MAX_WAITING) into.waiting.push(reported);
}

/** Notes that a call of the cluster was found to be of a campaign; says how many there are now. Never throws. */
export function meet(cluster: ContentCluster, campaignId: string, by: number = 1): number {
  const count = (cluster.met.get(campaignId) ?? 0) + by;
  if (cluster.met.has(campaignId) || cluster.met.size < MAX_MET) cluster.met.set(campaignId, count);
  return count;
}

/** What a script may be said with every right, if the caller shows a number of its own: selling, collecting, offering. */
const SOFT_KINDS: ReadonlySet<ScriptClass> = new Set([
  'financial',
  'debt-relief',
  'student-loan',
  'health',
  'travel-prize',
  'home-services',
  'business-services',
  'warranty',
]);

/** What is said in the name of a business or a utility is said by themselves too: that a parcel comes, a card was charged, the power goes. */
const SAID_BY_THEMSELVES: ReadonlySet<ScriptClass> = new Set(['business-impersonation', 'utility']);

/** Reports with a good signature and hardly any other number: whoever calls so can be called back, and sued. */
const OWN_NUMBER_SHARE = 0.8;
const OWN_NUMBERS = 2;
/** So many people who heard somebody speak in the name of another outweigh a good signature: most of those of prolific robocallers are good. */
const REPORTS_AGAINST_OWN_NUMBER = 12;
/** Share of reports that say that the number was not the caller's, and of those that say that it was a robocall. */
const SPOOFED_SHARE = 0.3;
const ACCUSED_SHARE = 0.5;
/** A number that called so often before is not one that is thrown away: it is its caller's, as that of each branch of a chain. */
const STANDING_CALLS = 8;
/** After so many calls it shows whether a number's calls end as those of recordings do: by a tenth of odds a call it comes to the alarm. */
const KNOWN_CALLS = 200;

/**
 * Whether a cluster is a campaign: by what is said, and by whose numbers are shown. What is said with every right, by a caller who shows
 * a number of its own, is none however many hear it; nor is what a bank says from numbers whose calls people take. Never throws.
 * @param by - what is known of calling numbers from records
 * @see 47 CFR 64.1200(a)(3) for prerecorded calls that need no consent
 */
export function contentVerdict(
  cluster: ContentCluster,
  by: { readonly policy: CampaignPolicy; readonly numbers: Pick<NumberMemory, 'find' | 'sinceSeconds'> },
  atMs: number,
): 'campaign' | 'watch' {
  const { policy } = by;
  const { reports, called, calling, title } = cluster;
  if (reports < policy.leastFraudReports || called.size < policy.leastFraudCalled) return 'watch';
  const isSpoofed = cluster.spoofed >= reports * SPOOFED_SHARE;
  const numbers = numbersOf(cluster, by, atMs);
  const isSigned = !isSpoofed && cluster.signed >= reports * OWN_NUMBER_SHARE;
  const kind = title?.class ?? 'unknown';
  if (isSigned && numbers.areTaken) return 'watch';
  if (kind === 'lawful-looking')
    return isSpoofed && numbers.areMany && isHeardByMany(cluster, policy) ? 'campaign' : 'watch';
  if (kind === 'unknown')
    return (isSpoofed || numbers.areMany) && isHeardByMany(cluster, policy) ? 'campaign' : 'watch';
  const isAccused = cluster.accused >= reports * ACCUSED_SHARE;
  if (isSigned && (calling.size <= OWN_NUMBERS || (SAID_BY_THEMSELVES.has(kind) && !isAccused))) {
    const isOutweighed = reports >= REPORTS_AGAINST_OWN_NUMBER && (isAccused || numbers.areMany);
    if (!isOutweighed) return 'watch';
  }
  if (SOFT_KINDS.has(kind)) return isSpoofed || numbers.areMany ? 'campaign' : 'watch';
  return 'campaign';
}

interface CallingNumbers {
  /** Whether they are many that hardly called before. */
  readonly areMany: boolean;
  /** Whether each has called very often, and people take its calls. */
  readonly areTaken: boolean;
}

function numbersOf(
  { calling, numbered }: ContentCluster,
  { policy, numbers }: Parameters<typeof contentVerdict>[1],
  atMs: number,
): CallingNumbers {
  let fresh = 0;
  let taken = 0;
  for (const tn of calling) {
    const known = numbers.find(numberKey(tn));
    if (known === undefined || known.callsBefore < STANDING_CALLS) fresh += 1;
    else if (known.callsBefore >= KNOWN_CALLS && known.evidence < policy.watchAt) taken += 1;
  }
  const share = policy.manyNumbersShare;
  const sinceSeconds = numbers.sinceSeconds();
  // Where records are heard everybody is new at first; where none are, there is nothing to wait for.
  const isTooEarly = sinceSeconds !== undefined && atMs / 1_000 - sinceSeconds < policy.learningSeconds;
  return {
    areMany: !isTooEarly && calling.size > OWN_NUMBERS && (fresh >= numbered * share || fresh >= MAX_PARTIES * share),
    areTaken: calling.size > 0 && taken === calling.size,
  };
}

function isHeardByMany({ reports, called }: ContentCluster, policy: CampaignPolicy): boolean {
  return reports >= policy.leastUnknownReports && called.size >= policy.leastUnknownReports / 2;
}

/** Clusters by what was heard. */
export type ContentTable = ReturnType<typeof createContentTable>;

/** Scripts that one call-back number may hold together: a number that more of them say is one that everybody says. */
const MAX_SCRIPTS_BY_CALL_BACK = 6;

/**
 * Makes the table: the content not heard of for the longest is forgotten first. Never throws.
 * @param limit - contents at most
 */
export function createContentTable(limit: number) {
  let clusters = new Map<string, ContentCluster>();
  let spoken = new Map<string, Set<string>>();
  const lead = (content: string, cluster: ContentCluster): void => {
    cluster.contents.add(content);
    clusters.delete(content);
    if (clusters.size >= limit) {
      const oldest = clusters.keys().next().value as string;
      clusters.get(oldest)?.contents.delete(oldest);
      clusters.delete(oldest);
    }
    clusters.set(content, cluster);
  };
  const isCommon = (content: string, script: string | undefined): boolean => {
    if (!content.startsWith('call-back:')) return false;
    if (spoken.size >= limit) spoken.delete(spoken.keys().next().value as string);
    const scripts = spoken.get(content) ?? new Set();
    spoken.set(content, scripts);
    if (script !== undefined && scripts.size <= MAX_SCRIPTS_BY_CALL_BACK) scripts.add(script);
    return scripts.size > MAX_SCRIPTS_BY_CALL_BACK;
  };
  /** The table as it stands, by reference. */
  const state = () => ({ clusters, spoken });
  return {
    find: (content: string): ContentCluster | undefined => clusters.get(content),
    size: () => clusters.size,
    state,
    restore: (saved: ReturnType<typeof state>) => {
      ({ clusters, spoken } = saved);
    },
    /** Has a content lead to a cluster of its own from now on. */
    detach: (content: string, into: ContentCluster) => {
      clusters.get(content)?.contents.delete(content);
      lead(content, into);
    },
    /** The one cluster that contents lead to: what led to several makes them one where `mayJoin` says so, which makes two campaigns one too; else the first of them. */
    clusterOf: (
      contents: readonly string[],
      mayJoin: (into: ContentCluster, from: ContentCluster) => boolean,
    ): ContentCluster => {
      const script = contents.find((content) => content.startsWith('script:'));
      const telling = contents.filter((content) => !isCommon(content, script));
      const known = [...new Set(telling.flatMap((content) => clusters.get(content) ?? []))];
      const into = known[0] ?? createContentCluster();
      for (const from of known.slice(1)) {
        if (!mayJoin(into, from)) continue;
        joinClusters(into, from);
        for (const content of from.contents) clusters.set(content, into);
      }
      for (const content of telling) {
        const leads = clusters.get(content);
        if (leads === undefined || leads === into) lead(content, into);
      }
      return into;
    },
  };
}
