import type { AppReport } from '@hopback/sdk/platform';
import { textWithoutNumbers } from '../records/mask-numbers.js';
import type { CampaignBook, CampaignFile } from './campaign-file.js';
import { numberKey, reportCallId } from './call-note.js';
import type { CallNote, ReportedCall } from './call-note.js';
import type { CampaignPolicy } from './campaign-policy.js';
import type { ContentCluster, ContentTable } from './content-cluster.js';
import { addToCluster, addTranscript, contentVerdict, meet } from './content-cluster.js';
import { countReported } from './count-evidence.js';
import type { Counting } from './count-evidence.js';
import type { NumberMemory } from './key-tables.js';
import { keyHash } from './key-tables.js';
import { placeReport } from './placed-call.js';
import type { ReceivedReport, WaitingReport } from './placed-call.js';
import { claim } from './record-detection.js';
import { callBackNumbers } from './scripts/call-back-numbers.js';
import { nameOfScript } from './scripts/name-of-script.js';
import type { CallBackNumber } from './scripts/types.js';
import type { ScriptIndex } from './scripts/script-index.js';

/** What reports are judged by. */
export interface ReportDetection extends Counting {
  readonly policy: CampaignPolicy;
  readonly scripts: ScriptIndex;
  readonly contents: ContentTable;
  readonly numberOwners: ReadonlyMap<number, string>;
  /** What records say of calling numbers. */
  readonly numbers: Pick<NumberMemory, 'find' | 'sinceSeconds'>;
}

/** Takes a report into account. Never throws for what a report holds. */
export function detectByReport(detection: ReportDetection, received: ReceivedReport): void {
  const { report } = received;
  const heard = hearReport(detection, received);
  const { cluster } = heard;
  const reported = placeReport(detection.calls, received, heard);
  const { atMs } = reported.call;
  const [note] = reported.placed.records;
  if (cluster === undefined) countWithoutContent(detection, report, reported);
  else {
    if (fileOf(detection, cluster) === undefined) cluster.campaignId = undefined;
    const wasCampaign = cluster.campaignId !== undefined;
    addToCluster(cluster, report, reported);
    if (heard.isNewWording || cluster.title === undefined) {
      cluster.title = nameOfScript(cluster.transcripts.map(({ text }) => text));
    }
    if (note !== undefined) meetRecord(detection, cluster, note);
    const file = fileOf(detection, cluster) ?? openByContent(detection, cluster, atMs);
    if (file !== undefined) {
      if (wasCampaign) countReport(detection, file, reported);
      holdHeard(detection, file, { cluster, heard });
    }
  }
}

/** A record of a call has come of which a report waited. Never throws. */
export function meetWaitingReport(
  detection: ReportDetection,
  note: CallNote,
  { cluster, reported }: WaitingReport,
): void {
  if (cluster !== undefined) meetRecord(detection, cluster, note);
  const file = detection.book.file(reported.placed.campaignId) ?? (cluster && fileOf(detection, cluster));
  if (file !== undefined) claimReported(detection, file, note);
}

interface Heard {
  readonly cluster: ContentCluster | undefined;
  readonly reasons: readonly string[];
  readonly isNewWording: boolean;
  readonly recording: string | undefined;
  readonly wording: string | undefined;
  readonly callBacks: readonly CallBackNumber[];
}

/** Finds what was heard on a call, and puts it with the same. */
function hearReport(detection: ReportDetection, { appId, report }: ReceivedReport): Heard {
  const { transcript, audioFingerprint } = report;
  const reasons: string[] = [];
  const contents: string[] = [];
  const callBacks = transcript === undefined ? [] : callBackNumbers(transcript.text, transcript.language);
  const wording = transcript === undefined ? undefined : withoutNumbers(transcript.text, callBacks);
  if (transcript !== undefined) {
    const placed = detection.scripts.add(reportCallId(appId, report.reportId), transcript.text, transcript.language);
    if (placed.kind !== 'none') {
      contents.push(`script:${placed.scriptId}`);
      reasons.push('same-script');
      if (placed.kind === 'joined') for (const { gone } of placed.merges) contents.push(`script:${gone}`);
    }
  }
  const recording =
    audioFingerprint === undefined
      ? undefined
      : String(keyHash(`${audioFingerprint.algorithm}\n${audioFingerprint.value}`));
  if (recording !== undefined) {
    contents.push(`recording:${recording}`);
    reasons.push('same-recording');
  }
  for (const { number } of callBacks) contents.push(`call-back:${number}`);
  if (callBacks.length > 0) reasons.push('same-call-back-number');
  const heard = { reasons, recording, wording, callBacks };
  if (contents.length === 0) return { ...heard, cluster: undefined, isNewWording: false };
  const cluster = detection.contents.clusterOf(contents, (into, from) => joinCampaigns(detection, into, from));
  const isNewWording = wording !== undefined && addTranscript(cluster, wording, transcript?.language);
  return { ...heard, cluster, isNewWording };
}

/** Longest transcript that stands for a campaign: a minute and a half of talk. */
const MAX_WORDING_CHARS = 2_000;

/**
 * A transcript without the numbers that are said in it: what is stored and shown must not hold them. What is left in a row long enough to be a
 * telephone number goes too, in words as in digits. Never throws.
 */
export function withoutNumbers(text: string, numbers: readonly CallBackNumber[]): string {
  let rest = '';
  let from = 0;
  for (const { start, end } of numbers.toSorted((a, b) => a.start - b.start)) {
    if (start < from) continue;
    rest += `${text.slice(from, start)}[number]`;
    from = end;
  }
  rest += text.slice(from);
  const masked = textWithoutNumbers(rest).slice(0, MAX_WORDING_CHARS);
  return masked === '' ? '[number]' : masked;
}

function joinCampaigns(detection: ReportDetection, into: ContentCluster, from: ContentCluster): boolean {
  const { book } = detection;
  const one = book.file(into.campaignId);
  const other = book.file(from.campaignId);
  if (one !== undefined && other !== undefined && one !== other) {
    if (book.areApart(one, other)) return false;
    joinOlder(book, one, other);
  }
  into.campaignId = (one ?? other)?.campaignId;
  return true;
}

/** Of two campaigns the older one stays. */
function joinOlder(book: CampaignBook, one: CampaignFile, other: CampaignFile): boolean {
  const [into, from] = one.firstSeenMs <= other.firstSeenMs ? [one, other] : [other, one];
  // An analyst's word is not undone by what is merged into it.
  if (from.standing.because === 'lawful' || into.standing.because === 'lawful') return false;
  return book.join(into, from, Math.max(one.lastSeenMs, other.lastSeenMs));
}

/** Reports with a script whose calls are of a campaign by way of calling, until it is that campaign's script. */
const LEAST_MET = 3;

/** A report of a cluster is about a call on record: where that is of a campaign, the two may be one. */
function meetRecord(detection: ReportDetection, cluster: ContentCluster, note: CallNote): void {
  const { book } = detection;
  const found = book.file(note.campaignId);
  if (found === undefined) return;
  const met = meet(cluster, found.campaignId);
  let all = 0;
  for (const count of cluster.met.values()) all += count;
  const own = book.file(cluster.campaignId);
  if (own === found || met < LEAST_MET || met * 2 < all) return;
  if (own !== undefined) {
    if (!book.areApart(own, found)) joinOlder(book, own, found);
  } else if (found.transcripts.length === 0) {
    cluster.campaignId = found.campaignId;
    nameByContent(book, found, cluster);
    countWaiting(detection, found, cluster);
  }
}

function fileOf({ book }: ReportDetection, cluster: ContentCluster): CampaignFile | undefined {
  return book.file(cluster.campaignId);
}

function openByContent(detection: ReportDetection, cluster: ContentCluster, atMs: number): CampaignFile | undefined {
  const { book } = detection;
  if (contentVerdict(cluster, detection, atMs) === 'watch') return undefined;
  const { title } = cluster;
  const firstMs = cluster.waiting[0]?.call.atMs ?? atMs;
  const origin = { name: title?.name ?? 'Unidentified-Script', kind: title?.class ?? 'unknown' };
  const file = book.open(
    firstMs,
    origin,
    cluster.waiting.map(({ call }) => call.callId),
  );
  cluster.campaignId = file.campaignId;
  nameByContent(book, file, cluster);
  countWaiting(detection, file, cluster);
  return file;
}

function nameByContent(book: CampaignBook, file: CampaignFile, cluster: ContentCluster): void {
  const { title } = cluster;
  if (title !== undefined && (file.kind === 'unknown' || file.transcripts.length === 0)) {
    book.name(file, { name: title.name, kind: title.class });
  }
  for (const { text, language } of cluster.transcripts) {
    book.hear(file, text);
    book.hold(file, { kind: 'script', transcript: text, ...(language !== undefined && { language }) });
  }
  for (const content of cluster.contents) {
    const at = content.indexOf(':');
    if (content.startsWith('recording:')) book.hold(file, { kind: 'recording', recording: content.slice(at + 1) });
    if (content.startsWith('call-back:')) book.hold(file, { kind: 'call-back-number', tn: content.slice(at + 1) });
  }
}

/** Counts the reports that came before the cluster was a campaign. */
function countWaiting(detection: ReportDetection, file: CampaignFile, cluster: ContentCluster): void {
  for (const reported of cluster.waiting) countReport(detection, file, reported);
  cluster.waiting.length = 0;
}

function countReport(detection: ReportDetection, file: CampaignFile, reported: ReportedCall): void {
  for (const record of reported.placed.records) claimReported(detection, file, record);
  countReported(detection, reported, file);
}

/** What holds a campaign together grows with each report. */
function holdHeard(
  { book, contents }: ReportDetection,
  file: CampaignFile,
  { cluster, heard }: { readonly cluster: ContentCluster; readonly heard: Heard },
): void {
  if (heard.isNewWording) nameByContent(book, file, cluster);
  if (heard.recording !== undefined) book.hold(file, { kind: 'recording', recording: heard.recording });
  for (const { number } of heard.callBacks) {
    if (contents.find(`call-back:${number}`) === cluster) book.hold(file, { kind: 'call-back-number', tn: number });
  }
}

/** A call on record of which a report says what was heard. */
function claimReported(detection: ReportDetection, file: CampaignFile, note: CallNote): void {
  claim(detection, note, { campaignId: file.campaignId, reasons: ['report-of-the-same-call'] });
}

/** A report in which nothing was heard counts for the campaign of its number, or of the call on record. */
function countWithoutContent(detection: ReportDetection, report: AppReport, reported: ReportedCall): void {
  const { book, numberOwners } = detection;
  const campaignId = reported.placed.records.find((record) => record.campaignId !== undefined)?.campaignId;
  const owner = report.calling === undefined ? undefined : numberOwners.get(numberKey(report.calling));
  const file = book.file(campaignId) ?? book.file(owner);
  if (file === undefined) return;
  reported.reasons = [campaignId === undefined ? 'one-number' : 'report-of-the-same-call'];
  countReport(detection, file, reported);
}
