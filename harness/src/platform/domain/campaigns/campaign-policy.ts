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
