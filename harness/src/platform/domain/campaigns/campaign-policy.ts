import type { CampaignCall } from '../../core/index.js';

/** What can hold calls together when nothing was heard of them: ways of calling that ordinary callers do not have. */
export const WAYS_OF_CALLING = [
  'neighbour-spoofing',
  'invalid-calling-number',
  'do-not-originate',
  'failed-verification',
  'replayed-passport',
  'sequential-dialling',
  'snowshoe',
] as const;

/** One of {@link WAYS_OF_CALLING}. */
export type WayOfCalling = (typeof WAYS_OF_CALLING)[number];

/** How often calls have a mark: ordinary ones, and those of a group with a campaign in it. 0 to 1, exclusive. */
export interface MarkShares {
  readonly ordinary: number;
  readonly campaign: number;
}

/** How calls are brought together, as data. */
export interface CampaignPolicy {
  /** Name and version. */
  readonly id: string;
  /**
   * Shares of marked calls where a carrier shares all of its calls, and where it shares those alone that it suspects: of these far more have
   * a mark by selection.
   */
  readonly marks: {
    readonly all: Readonly<Record<WayOfCalling, MarkShares>>;
    readonly selected: Readonly<Record<WayOfCalling, MarkShares>>;
  };
  /** Sum of evidence, natural logarithm of odds, from which on a way of calling is a campaign, and from which it is on watch. */
  readonly alarmAt: number;
  readonly watchAt: number;
  /** Evidence of calls from ever new numbers with which a signer or provider begins that was never heard of. */
  readonly headStart: number;
  /** Marked calls, and different numbers called by them, that a campaign has at least. */
  readonly leastCalls: number;
  readonly leastCalled: number;
  /** Different calling numbers, of ways of calling that live on many numbers. */
  readonly leastCalling: number;
  /** Seconds after its first call until it is known which numbers of a carrier call again and again. */
  readonly learningSeconds: number;
  /** Reports with one script of a kind that is fraud whoever calls, until it is a campaign; and different numbers called in them. */
  readonly leastFraudReports: number;
  readonly leastFraudCalled: number;
  /** Reports with one script of which nothing else is known. */
  readonly leastUnknownReports: number;
  /** Share of different calling numbers among reports from which they are not the numbers of one honest caller. */
  readonly manyNumbersShare: number;
  /** How far the clocks of a telephone and a switch may be apart for one call, seconds. */
  readonly joinSeconds: number;
  /** How far the clocks of two carriers, and the way of a call between them, may be apart, seconds. */
  readonly sameCallSeconds: number;
  /** Seconds without a call after which a campaign is dormant, and days of that after which it is closed. */
  readonly dormantAfterSeconds: number;
  readonly closedAfterDays: number;
  /** Answered calls below are hung up at the first words; from the other on two people were talking. Seconds. */
  readonly shortCallSeconds: number;
  readonly conversationSeconds: number;
}

/**
 * The policy that holds where none is given. Sums of evidence are those of Page's cumulative sum test: each call adds the logarithm of how
 * much more likely it is in a campaign than in ordinary traffic, and a sum never falls below nothing. By Wald's bound a group of
 * ordinary calls reaches `alarmAt` less often than once in e^alarmAt calls. What the shares are was set on generated traffic and on what
 * regulators and the sdk's suspicion policy have; they err towards ordinary.
 * @see Page, Continuous Inspection Schemes, Biometrika 41 (1954)
 */
export const DEFAULT_CAMPAIGN_POLICY: CampaignPolicy = Object.freeze({
  id: 'hopback-campaigns-1',
  marks: Object.freeze({
    all: Object.freeze({
      // One exchange has 10,000 numbers; calls next door are few, and most of them are conversations or come from numbers that call again.
      // What is expected of a campaign is little, since it shares its trunk with thirty times as many calls of others.
      'neighbour-spoofing': { ordinary: 0.012, campaign: 0.04 },
      'invalid-calling-number': { ordinary: 0.004, campaign: 0.03 },
      // Blocked by everybody who can: what is left are lists that lag behind.
      'do-not-originate': { ordinary: 0.0005, campaign: 0.02 },
      // A provider that rewrites numbers breaks every signature: it is how the calls end that tells it from a campaign.
      'failed-verification': { ordinary: 0.5, campaign: 0.9 },
      'replayed-passport': { ordinary: 0.01, campaign: 0.04 },
      'sequential-dialling': { ordinary: 0.003, campaign: 0.03 },
      // Of households nearly every call shows a number not seen before: the outcome has to be unlike theirs.
      snowshoe: { ordinary: 0.7, campaign: 0.95 },
    }),
    selected: Object.freeze({
      'neighbour-spoofing': { ordinary: 0.3, campaign: 0.9 },
      'invalid-calling-number': { ordinary: 0.3, campaign: 0.9 },
      'do-not-originate': { ordinary: 0.2, campaign: 0.9 },
      'failed-verification': { ordinary: 0.5, campaign: 0.9 },
      'replayed-passport': { ordinary: 0.3, campaign: 0.9 },
      'sequential-dialling': { ordinary: 0.3, campaign: 0.9 },
      snowshoe: { ordinary: 0.4, campaign: 0.95 },
    }),
  }),
  // e^20 is half a thousand million: with three groups a call and seven ways, about one false campaign in 20 million calls.
  alarmAt: 20,
  watchAt: 10,
  // Half of the alarm, as Lucas and Crosier have it. Against senders of short notices how calls end is all that tells, 0.4 a call: fifty calls from
  // nothing. New signers are some a day and not 2,000 a second, and one of them that is ordinary reaches the alarm from here less often than once
  // in e^10, or falls to nothing and has no more of it.
  headStart: 10,
  // A campaign of twenty calls has to be found by them, and a party line of a few is none.
  leastCalls: 12,
  leastCalled: 10,
  leastCalling: 6,
  // The numbers of a call centre, some hundreds, go round in minutes; those of a restart come back with what is read again.
  learningSeconds: 180,
  // Five people heard the same swindle: a single application that sends one report again and again is not five.
  leastFraudReports: 5,
  leastFraudCalled: 3,
  leastUnknownReports: 10,
  // An honest caller has a few numbers and uses them again; a campaign hardly does.
  manyNumbersShare: 0.5,
  // Telephones are set by their network; switches by hand. Ringing is 30 s.
  joinSeconds: 90,
  // A call is with the last of its carriers within a second or two; who calls the same exchange again within as many mostly ends otherwise.
  sameCallSeconds: 5,
  // Campaigns pause for lunch in the country they call from, and begin again; a court is asked about those that call now.
  dormantAfterSeconds: 4 * 3_600,
  closedAfterDays: 30,
  shortCallSeconds: 6,
  conversationSeconds: 60,
});

/** What is remembered at most. */
export interface CampaignLimits {
  /** Groups of calls: signers, upstream providers, trunks of carriers. */
  readonly groups: number;
  /** Calling numbers. A power of two. */
  readonly numbers: number;
  /** Calls that reports are held against. A power of two. */
  readonly calls: number;
  /** Reports that wait for their call. */
  readonly reports: number;
  /** Scripts, recordings and call-back numbers. */
  readonly contents: number;
  /** Campaigns that are told from others; the one of which calls came longest ago goes first. */
  readonly campaigns: number;
}

/** Limits that hold where none are given. */
export const DEFAULT_CAMPAIGN_LIMITS: CampaignLimits = Object.freeze({
  // 7,000 providers in three parts, and their larger trunks: 30 MB where all are in use.
  groups: 32_768,
  // A quarter of an hour of 2,000 calls a second without a repeat, 30 MB; those that call again stay for days.
  numbers: 2_097_152,
  // A minute at 2,000 a second, where all numbers are shown; of those that are suspected alone, half an hour.
  calls: 131_072,
  // A report comes before its call where a carrier sends late: minutes of a large application.
  reports: 16_384,
  // 500 scripts are known of five years; ten times as many a month, each with variants.
  contents: 65_536,
  // The traceback group knows some hundred a year.
  campaigns: 4_096,
});

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
