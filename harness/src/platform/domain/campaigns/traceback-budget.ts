import type { CampaignCall } from '../../core/index.js';

/** A traceback of a campaign, as far as it has come. */
export interface PastTraceback {
  readonly tracebackId: string;
  /** The call that it is about; absent where it was opened for another reason. */
  readonly callId?: string;
  /** Whether it is still open. */
  readonly isOpen: boolean;
  /** Where it ended, by id or name of the provider; absent where it came to nothing. */
  readonly origin?: string;
}

/** Which calls to trace, and why no more. */
export interface TracebackBudget {
  readonly calls: readonly CampaignCall[];
  readonly because:
    /** There are ways in of which none was traced. */
    | 'new-ways-in'
    /** One more of a way in where the first came to nothing, or where two have to agree. */
    | 'to-be-sure'
    /** As many are open as are worth having open: their answers say what to ask next. */
    | 'waiting'
    /** Each way in leads to an origin that a second traceback has confirmed. */
    | 'agreed'
    /** Nothing that has not been traced in vain. */
    | 'nothing-left';
}

/** Tracebacks of one campaign that are open at a time: each is work for five providers. */
export const MAX_OPEN_TRACEBACKS = 8;
/** Tracebacks of one campaign in all: what so many do not show, more do not. */
export const MAX_CAMPAIGN_TRACEBACKS = 40;
/** Tracebacks of one way in that come to the same origin until that is believed: one provider may err, or lie. */
const AGREEING = 2;
/** Tracebacks of one way in that come to nothing until it is given up. */
const VAIN = 3;
/** Times of day count as ways in too: whoever calls through one carrier in the morning may call through another at night. */
const STRETCH_MS = 6 * 3_600_000;

/**
 * Which calls of a campaign to trace now: of each way in (signer, reporter, time) one that was not traced; a second one where the
 * first came to nothing or stands alone; no more where tracebacks agree. Calls whose way in is new come first, so that a new
 * origin is seen. Never throws.
 * @param calls - of the campaign, newest first: the latest are the easiest to find, and the first whose records are removed are the oldest
 * @param past - all tracebacks of the campaign
 */
export function tracebackBudget(calls: readonly CampaignCall[], past: readonly PastTraceback[]): TracebackBudget {
  const open = past.filter(({ isOpen }) => isOpen).length;
  const room = Math.min(MAX_OPEN_TRACEBACKS - open, MAX_CAMPAIGN_TRACEBACKS - past.length);
  const byCall = new Map(past.flatMap((one) => (one.callId === undefined ? [] : [[one.callId, one] as const])));
  const ways = waysIn(calls, byCall);
  if (past.length >= MAX_CAMPAIGN_TRACEBACKS) return { calls: [], because: 'nothing-left' };
  const fresh = ways.filter(({ traced }) => traced.length === 0).flatMap(({ untraced }) => untraced.slice(0, 1));
  if (fresh.length > 0) {
    return room <= 0 ? { calls: [], because: 'waiting' } : { calls: fresh.slice(0, room), because: 'new-ways-in' };
  }
  const unsure = ways.filter((way) => !isSettled(way, past));
  const askable = unsure.filter(({ traced }) => !traced.some(({ isOpen }) => isOpen));
  const more = askable.flatMap(({ untraced }) => untraced.slice(0, 1));
  if (more.length > 0) {
    return room <= 0 ? { calls: [], because: 'waiting' } : { calls: more.slice(0, room), because: 'to-be-sure' };
  }
  if (open > 0) return { calls: [], because: 'waiting' };
  return { calls: [], because: unsure.length === 0 && ways.length > 0 ? 'agreed' : 'nothing-left' };
}

interface WayIn {
  readonly traced: PastTraceback[];
  readonly untraced: CampaignCall[];
}

function waysIn(calls: readonly CampaignCall[], byCall: ReadonlyMap<string, PastTraceback>): readonly WayIn[] {
  const ways = new Map<string, WayIn>();
  for (const call of calls) {
    const name = wayOf(call);
    const way = ways.get(name) ?? { traced: [], untraced: [] };
    ways.set(name, way);
    const traced = byCall.get(call.callId);
    if (traced === undefined) way.untraced.push(call);
    else way.traced.push(traced);
  }
  return [...ways.values()];
}

/** Who signed is the best hint; without one who had the call, and when. */
function wayOf(call: CampaignCall): string {
  if (call.signer !== undefined) return `signer:${call.signer}`;
  return `reporter:${call.reporterId}:${call.attestation ?? '-'}:${String(Math.floor(call.atMs / STRETCH_MS))}`;
}

/**
 * A way in is settled when two of its tracebacks agree, when its one traceback agrees with one of another way, or when several came to
 * nothing.
 */
function isSettled({ traced }: WayIn, past: readonly PastTraceback[]): boolean {
  const closed = traced.filter(({ isOpen }) => !isOpen);
  const counts = new Map<string, number>();
  for (const { origin } of closed) if (origin !== undefined) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  if (counts.size === 0) return closed.length >= VAIN;
  for (const origin of counts.keys()) {
    if (past.filter((one) => one.origin === origin).length >= AGREEING) return true;
  }
  // They named different ones: a third decides, and a fourth would not.
  return closed.length >= AGREEING + 1;
}
