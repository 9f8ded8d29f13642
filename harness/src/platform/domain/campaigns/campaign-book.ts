import type { CampaignCall, DomainEventData } from '../../core/index.js';
import type { PlacedCall } from './call-note.js';
import {
  countCall,
  createCampaignFile,
  joinFiles,
  keepTranscript,
  keyName,
  MAX_CAMPAIGN_KEYS,
  restoredCampaign,
  savedCampaign,
  seeCall,
  uncountCall,
} from './campaign-file.js';
import type { CampaignFile, CampaignKey, CountedCall, SavedCampaign } from './campaign-file.js';

/** What has become of a campaign that others rest on. */
export type CampaignChange = DomainEventData['campaign.changed']['change'];

/** What is new of a campaign since it was last asked. */
export interface CampaignNews {
  readonly file: CampaignFile;
  readonly calls: readonly CampaignCall[];
  readonly changes: readonly CampaignChange[];
}

/** All campaigns, and what is new of them. */
export interface CampaignBook {
  /** Under the id it has now, after mergers. */
  readonly file: (campaignId: string | undefined) => CampaignFile | undefined;
  readonly files: () => IterableIterator<CampaignFile>;
  /** @param callIds - calls that it is found by: a replay gives it the id under which they are stored */
  readonly open: (
    atMs: number,
    origin: { readonly name: string; readonly kind: string },
    callIds: readonly string[],
  ) => CampaignFile;
  readonly restore: (file: CampaignFile) => void;
  /**
   * Campaigns that are stored and that a replay has still to find, by the ids of their calls: a campaign that is opened with such a call is
   * that one. An empty map ends it.
   */
  readonly expect: (campaignIds: ReadonlyMap<string, string>) => void;
  readonly state: () => CampaignBookState;
  /** Takes a saved state over. @throws what a saved campaign of another form throws */
  readonly restoreState: (saved: CampaignBookState) => void;
  /** Counts a record or report that belongs to it, and has it live again if it was silent. */
  readonly count: (file: CampaignFile, counted: CountedCall) => void;
  /** Takes back what was counted of a call. */
  readonly uncount: (file: CampaignFile, call: PlacedCall) => void;
  /** Has it live again, by a call that is counted for another campaign. */
  readonly see: (file: CampaignFile, atMs: number) => void;
  readonly hold: (file: CampaignFile, key: CampaignKey) => void;
  readonly name: (file: CampaignFile, origin: { readonly name: string; readonly kind: string }) => void;
  readonly hear: (file: CampaignFile, transcript: string) => void;
  /** False where they are kept apart, or are one already. */
  readonly join: (into: CampaignFile, from: CampaignFile, atMs: number) => boolean;
  readonly areApart: (one: CampaignFile, other: CampaignFile) => boolean;
  readonly touch: (file: CampaignFile, change?: CampaignChange) => void;
  /** Whether there is news that others rest on: a campaign that is new, or calls again. */
  readonly hasChanges: () => boolean;
  /** What is new; what was taken is news no more. */
  readonly take: () => readonly CampaignNews[];
}

/** All campaigns, merged ones too, as plain values. */
export interface CampaignBookState {
  readonly files: readonly { readonly saved: SavedCampaign; readonly keys: readonly CampaignKey[] }[];
}

/** Calls of one campaign that are told one by one until they are taken; the others are counted. Ten seconds of 1,000 a second. */
export const MAX_CALLS_TOLD = 10_000;

/**
 * Starts a book.
 * @param options - how ids are made, and how many campaigns are told from others
 */
export function createCampaignBook(options: { readonly newId: () => string; readonly limit: number }): CampaignBook {
  const files = new Map<string, CampaignFile>();
  const news = new Map<string, { calls: CampaignCall[]; changes: CampaignChange[] }>();
  const newsOf = (file: CampaignFile): { calls: CampaignCall[]; changes: CampaignChange[] } => {
    let found = news.get(file.campaignId);
    if (found === undefined) {
      found = { calls: [], changes: [] };
      news.set(file.campaignId, found);
    }
    return found;
  };
  const find = (campaignId: string | undefined): CampaignFile | undefined => {
    let file = campaignId === undefined ? undefined : files.get(campaignId);
    // Mergers point to older ones only, and never in a circle.
    while (file?.mergedInto !== undefined) file = files.get(file.mergedInto);
    return file;
  };
  let hasChanges = false;
  let expected: ReadonlyMap<string, string> = new Map();
  const touch = (file: CampaignFile, change?: CampaignChange): void => {
    const { changes } = newsOf(file);
    if (change === undefined) return;
    hasChanges = true;
    if (!changes.includes(change)) changes.push(change);
  };
  const revive = (file: CampaignFile, atMs: number): void => {
    const { state, because } = file.standing;
    if (state === 'live' || because === 'lawful' || because === 'closed-by-analyst') return;
    file.standing = { state: 'live', because: 'calls-came', sinceMs: atMs };
    touch(file, 'live');
  };
  const freeName = (wanted: string, own: CampaignFile): string => {
    const taken = new Set<string>();
    for (const file of files.values()) if (file !== own && file.mergedInto === undefined) taken.add(file.name);
    let name = wanted;
    for (let variant = 2; taken.has(name); variant += 1) name = `${wanted}-P${String(variant)}`;
    return name;
  };
  const name = (file: CampaignFile, origin: { readonly name: string; readonly kind: string }): void => {
    file.kind = origin.kind;
    if (!file.isNamedByAnalyst) file.name = freeName(origin.name, file);
    touch(file);
  };
  return {
    file: find,
    files: () => files.values(),
    touch,
    name,
    open: (atMs, origin, callIds) => {
      if (files.size >= options.limit) forgetOldest(files, news);
      const stored = callIds.map((callId) => expected.get(callId)).find((id) => id !== undefined && !files.has(id));
      const file = createCampaignFile(stored ?? options.newId(), atMs);
      files.set(file.campaignId, file);
      name(file, origin);
      touch(file, 'found');
      return file;
    },
    restore: (file) => void files.set(file.campaignId, file),
    expect: (campaignIds) => {
      expected = campaignIds;
    },
    state: () => ({
      files: [...files.values()].map((file) => ({ saved: savedCampaign(file), keys: [...file.keys.values()] })),
    }),
    restoreState: (saved) => {
      for (const one of saved.files) files.set(one.saved.campaignId, restoredCampaign(one.saved, one.keys));
    },
    count: (file, counted) => {
      countCall(file, counted);
      const { calls } = newsOf(file);
      if (calls.length < MAX_CALLS_TOLD) calls.push(counted.call);
      revive(file, counted.call.atMs);
    },
    uncount: (file, call) => {
      uncountCall(file, call);
      const own = newsOf(file);
      own.calls = own.calls.filter(({ placedCallId }) => placedCallId !== call.name);
    },
    see: (file, atMs) => {
      seeCall(file, atMs);
      touch(file);
      revive(file, atMs);
    },
    hold: (file, key) => {
      if (file.keys.size >= MAX_CAMPAIGN_KEYS) return;
      file.keys.set(keyName(key), key);
      touch(file);
    },
    hear: (file, transcript) => keepTranscript(file, transcript),
    areApart: (one, other) => one.apartFrom.has(other.campaignId) || other.apartFrom.has(one.campaignId),
    join: (into, from, atMs) => {
      if (into === from || into.apartFrom.has(from.campaignId) || from.apartFrom.has(into.campaignId)) return false;
      joinFiles(into, from, atMs);
      touch(from, 'merged');
      touch(into);
      return true;
    },
    hasChanges: () => hasChanges,
    take: () => {
      const taken = [...news].flatMap(([campaignId, { calls, changes }]) => {
        const file = files.get(campaignId);
        return file === undefined ? [] : [{ file, calls, changes }];
      });
      news.clear();
      hasChanges = false;
      return taken;
    },
  };
}

/** What was merged or closed goes first; never one of which there is news that nobody has stored. */
function forgetOldest(files: Map<string, CampaignFile>, news: ReadonlyMap<string, unknown>): void {
  let oldest: CampaignFile | undefined;
  const rank = ({ standing, lastSeenMs }: CampaignFile): number =>
    lastSeenMs + (standing.state === 'closed' ? 0 : Number.MAX_SAFE_INTEGER / 2);
  for (const file of files.values()) {
    if (news.has(file.campaignId)) continue;
    if (oldest === undefined || rank(file) < rank(oldest)) oldest = file;
  }
  if (oldest !== undefined) files.delete(oldest.campaignId);
}
