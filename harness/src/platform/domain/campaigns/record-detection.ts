import type { Suspicion } from '@hopback/sdk/records';
import type { LiveRecord } from '../../core/index.js';
import type { CampaignBook, CampaignFile } from './campaign-file.js';
import type { CallNote, EvidenceTables } from './call-note.js';
import { marksOf, numberEvidence, recordCallId } from './call-note.js';
import { addToGroup, enoughNotes, evidenceOfWay, isApart } from './call-group.js';
import type { CallGroup, CallGroups, GroupEvidence } from './call-group.js';
import { WAYS_OF_CALLING } from './campaign-policy.js';
import type { CampaignPolicy } from './campaign-policy.js';
import type { NumberMemory, NumberSighting } from './key-tables.js';
import { countRecord } from './count-evidence.js';
import type { Counting } from './count-evidence.js';
import { otherRecords } from './placed-call.js';

/** What records are judged by. */
export interface RecordDetection extends Counting {
  readonly policy: CampaignPolicy;
  readonly tables: EvidenceTables;
  readonly groups: CallGroups;
  readonly numbers: NumberMemory;
  /** Campaigns of calling numbers, by hash. */
  readonly numberOwners: Map<number, string>;
  /** What carriers share. */
  readonly sharing: Map<string, CarrierSharing>;
  /** Numbers with consistent signatures that call very many: on watch, and no more. */
  readonly watched: Map<number, { calls: number; lastAtMs: number }>;
}

/** What is learned of a carrier. */
export interface CarrierSharing {
  /** Share of suspected calls among those that it has shared. */
  suspectedShare: number;
  /** Of its first call that was heard of. */
  readonly sinceMs: number;
}

/** Carriers whose way of sharing is remembered: all that are registered, and as many again. */
const MAX_REPORTERS = 16_384;
/** Numbers on watch; the one that was put there first goes first. */
const MAX_WATCHED = 4_096;
/** How fast it is learned what a carrier shares: some fifty records. */
const LEARNING = 1 / 50;
/**
 * Share of suspected calls from which on a carrier shares them alone. One that shares all has two in three for a while, when a county warns one of its towns
 * number by number.
 */
const SELECTED_SHARE = 0.9;

/**
 * Takes a record into account: adds it to its groups, counts it for the campaign that it belongs to, and opens one where the sum of
 * evidence says so. Never throws for what a record holds.
 */
export function detectByRecord(detection: RecordDetection, live: LiveRecord, by: Judged): void {
  const { note, suspicion } = by;
  const { policy } = detection;
  const carrier = sharingOf(detection, live, note.atMs);
  const isSelected = carrier.suspectedShare > SELECTED_SHARE;
  // A call of which there is a record already is no other call of its number, and no more evidence of its signer.
  const before = otherRecords(note);
  const sighting = sightingOf(detection, note, before);
  note.callsBefore = before[0]?.callsBefore ?? sighting?.callsBefore ?? 0;
  note.marks = marksOf(note, suspicion, {
    callsBefore: note.callsBefore,
    isSelected,
    // Before it is known who calls again and again everybody is new.
    knowsNumbers: note.atMs - carrier.sinceMs >= policy.learningSeconds * 1_000,
    told: live.record.sharing.suspicion?.signals,
  });
  for (const { campaignId } of before) {
    if (campaignId !== undefined) claim(detection, note, { campaignId, reasons: [] });
  }
  const ownerOfNumber = note.callingKey < 0 ? undefined : detection.numberOwners.get(note.callingKey);
  if (ownerOfNumber !== undefined) claim(detection, note, { campaignId: ownerOfNumber, reasons: ['one-number'] });
  addToGroups(detection, note, { before, evidence: { tables: detection.tables, policy, isSelected } });
  const isPoor = sighting !== undefined && sighting.evidence >= policy.alarmAt;
  // Selected calls all end badly.
  if (isPoor && !isSelected && sighting.callsBefore >= policy.leastCalls) {
    judgeNumber(detection, live, note);
  }
}

/** Adds a call to all of its groups but those to which another record of it was added. */
function addToGroups(
  detection: RecordDetection,
  note: CallNote,
  { before, evidence }: { readonly before: readonly CallNote[]; readonly evidence: GroupEvidence },
): void {
  const { signer, trunk, upstream, reporterId } = note;
  // The narrowest first: who signed it is surer than by whom it came.
  if (signer !== undefined && !before.some((other) => other.signer === signer)) {
    addTo(detection, `signer:${signer}`, note, evidence);
  }
  if (trunk !== undefined) addTo(detection, `trunk:${reporterId}:${trunk}`, note, evidence);
  if (upstream !== undefined && !before.some((other) => other.upstream === upstream)) {
    addTo(detection, `upstream:${upstream}`, note, evidence);
  }
}

/** What its number has called, with this call: another record of the same call is no other call. */
function sightingOf(
  { numbers }: RecordDetection,
  note: CallNote,
  before: readonly CallNote[],
): NumberSighting | undefined {
  const { callingKey, atMs, outcome } = note;
  if (callingKey < 0) return undefined;
  if (before.length > 0) return numbers.find(callingKey);
  return numbers.note(callingKey, Math.floor(atMs / 1_000), numberEvidence(outcome));
}

/** A call with what the platform's own judgement has to say of it. */
export interface Judged {
  readonly note: CallNote;
  readonly suspicion: Suspicion;
}

/** What a carrier shares, with this record. */
function sharingOf({ sharing }: RecordDetection, { providerId, record }: LiveRecord, atMs: number): CarrierSharing {
  const isSuspected = record.sharing.suspicion?.level === 'suspicious' ? 1 : 0;
  const known = sharing.get(providerId);
  if (known !== undefined) {
    known.suspectedShare += (isSuspected - known.suspectedShare) * LEARNING;
    return known;
  }
  if (sharing.size >= MAX_REPORTERS) sharing.delete(sharing.keys().next().value as string);
  const begun = { suspectedShare: isSuspected, sinceMs: atMs };
  sharing.set(providerId, begun);
  return begun;
}

function addTo(detection: RecordDetection, key: string, note: CallNote, evidence: GroupEvidence): void {
  const group = detection.groups.at(key);
  const alarms = addToGroup(group, note, evidence);
  if (note.marks === 0) return;
  for (let way = 0; way < WAYS_OF_CALLING.length; way += 1) {
    if ((note.marks & (1 << way)) === 0 || evidenceOfWay(group, way) === 0) continue;
    const owner = group.owners[way];
    if (owner !== undefined && detection.book.file(owner) !== undefined) {
      if (!isApart(group, note, way, evidence)) {
        claim(detection, note, { campaignId: owner, reasons: reasonsOf(group, way) });
      }
    } else if ((alarms & (1 << way)) !== 0) raise(detection, group, { way, evidence });
  }
}

/** A sum of evidence has reached the alarm: its calls are a campaign that is known, or a new one. */
function raise(
  detection: RecordDetection,
  group: CallGroup,
  { way, evidence }: { readonly way: number; readonly evidence: GroupEvidence },
): void {
  const { book } = detection;
  const notes = enoughNotes(group.notes[way] ?? [], way, evidence);
  if (notes.length === 0) return;
  const known = knownCampaign(book, notes);
  // Calls of several campaigns that share a signer are no further one: that is made of calls that none of them has.
  if (known === undefined && freeCalls(notes) < detection.policy.leastCalls) return;
  const atMs = notes[0]?.atMs ?? group.lastAtMs;
  const file = known ?? book.open(atMs, { name: nameOfWay(way), kind: 'unknown' }, notes.map(callIdOf));
  group.owners[way] = file.campaignId;
  book.hold(file, { kind: 'group', group: group.key, way: WAYS_OF_CALLING[way] as string });
  for (const note of notes) claim(detection, note, { campaignId: file.campaignId, reasons: reasonsOf(group, way) });
}

const callIdOf = ({ reporterId, recordId }: CallNote): string => recordCallId(reporterId, recordId);

const freeCalls = (notes: readonly CallNote[]): number =>
  notes.reduce((count, { campaignId }) => (campaignId === undefined ? count + 1 : count), 0);

/** Of its calls that are known to be of a campaign nearly all have to be of the same, and be more than a chance. */
const LEAST_AGREEMENT = 0.8;
const LEAST_KNOWN_SHARE = 0.1;

function knownCampaign(book: CampaignBook, notes: readonly CallNote[]): CampaignFile | undefined {
  const counts = new Map<CampaignFile, number>();
  let known = 0;
  for (const note of notes) {
    const file = book.file(note.campaignId);
    if (file === undefined) continue;
    known += 1;
    counts.set(file, (counts.get(file) ?? 0) + 1);
  }
  if (known < Math.max(2, notes.length * LEAST_KNOWN_SHARE)) return undefined;
  for (const [file, count] of counts) if (count >= known * LEAST_AGREEMENT) return file;
  return undefined;
}

/** Takes a record for one of a campaign, and with it all records of its call; the call is counted once. Never throws. */
export function claim(
  detection: Counting,
  note: CallNote,
  { campaignId, reasons }: { readonly campaignId: string; readonly reasons: readonly string[] },
): void {
  if (note.campaignId !== undefined) return;
  const file = detection.book.file(campaignId);
  if (file === undefined) return;
  note.campaignId = file.campaignId;
  countRecord(detection, note, file, reasons);
  for (const other of otherRecords(note)) claim(detection, other, { campaignId, reasons: [] });
}

function reasonsOf({ key }: CallGroup, way: number): readonly string[] {
  return [WAYS_OF_CALLING[way] as string, `same-${key.slice(0, key.indexOf(':'))}`];
}

/**
 * One number whose calls end as those of recordings do. It is a campaign only where whoever signed does not know the caller, or the signature
 * does not fit; any other number may be the caller's own, and then nothing but what is said, or reports, can make it a campaign: it is on
 * watch.
 */
function judgeNumber(detection: RecordDetection, live: LiveRecord, note: CallNote): void {
  const { book, numberOwners, watched } = detection;
  if (numberOwners.has(note.callingKey)) return;
  const caller = live.record.asserted ?? live.record.calling;
  const isOwn = !note.isFailed && note.attestation !== 'C';
  if (isOwn || !note.isCallingShown || caller === undefined || !('tn' in caller) || caller.tn === undefined) {
    const known = watched.get(note.callingKey);
    if (known === undefined && watched.size >= MAX_WATCHED) watched.delete(watched.keys().next().value as number);
    watched.set(note.callingKey, { calls: (known?.calls ?? 0) + 1, lastAtMs: note.atMs });
    return;
  }
  const origin = { name: 'Unidentified-OneNumber', kind: 'unknown' };
  const file = book.file(note.campaignId) ?? book.open(note.atMs, origin, [callIdOf(note)]);
  numberOwners.set(note.callingKey, file.campaignId);
  book.hold(file, { kind: 'calling-number', tn: caller.tn });
  claim(detection, note, { campaignId: file.campaignId, reasons: ['one-number'] });
}

/** What a campaign is called of which nothing was heard. */
function nameOfWay(way: number): string {
  return `Unidentified-${NAMES[WAYS_OF_CALLING[way] as (typeof WAYS_OF_CALLING)[number]]}`;
}

const NAMES: Readonly<Record<(typeof WAYS_OF_CALLING)[number], string>> = {
  'neighbour-spoofing': 'NeighbourSpoof',
  'invalid-calling-number': 'InvalidNumber',
  'do-not-originate': 'DnoSpoof',
  'failed-verification': 'FailedSignature',
  'replayed-passport': 'ReplayedPassport',
  'sequential-dialling': 'SequentialDial',
  snowshoe: 'Snowshoe',
};
