import type { Campaign } from '@hopback/sdk/platform';
import { callsWithBase } from '../campaigns/describe-campaign.js';
import { wilsonInterval } from '../providers/scorecard.js';
import type { CaseSheet } from './alert-bodies.js';
import type { CampaignFigures } from './alert-rules.js';

/** Words in which digits are said. */
const DIGIT_WORDS = new Set(
  `zero oh o one two three four five six seven eight nine ten eleven twelve hundred double triple area code
  twenty thirty forty fifty sixty seventy eighty ninety cero uno dos tres cuatro cinco seis siete ocho nueve`.split(
    /\s+/,
  ),
);
/** Digits from which on a row of them is a number of somebody: a local number has seven. */
const MIN_DIGITS = 7;

/**
 * A transcript without telephone and account numbers, written or said: before there is legal process nobody is told a number, and a
 * transcript may hold that of whoever was called.
 * @param transcript - as one call had it
 * @returns the text, each row of at least seven digits replaced by `[number]`; time is linear in its length
 */
export function maskedTranscript(transcript: string): string {
  const masked: string[] = [];
  let row: string[] = [];
  let digits = 0;
  const endRow = (): void => {
    if (digits >= MIN_DIGITS) masked.push('[number]');
    else masked.push(...row);
    row = [];
    digits = 0;
  };
  for (const word of transcript.split(/\s+/)) {
    const count = digitsOf(word);
    if (count > 0) {
      row.push(word);
      digits += count;
    } else {
      endRow();
      masked.push(word);
    }
  }
  endRow();
  return masked.join(' ').trim();
}

/** Digits that a word stands for; 0 where it is something else. */
function digitsOf(word: string): number {
  const plain = word.toLowerCase().replace(/[^a-z0-9]/g, '');
  const written = plain.replace(/[^0-9]/g, '').length;
  if (written > 0) return written;
  // Hyphens join digits that are said: `eight-hundred`.
  const parts = word
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((part) => part !== '');
  return parts.length > 0 && parts.every((part) => DIGIT_WORDS.has(part)) ? parts.length : 0;
}

/** Tracebacks that a sheet names: the latest. */
const MAX_TRACEBACKS = 500;
/** Signers that a sheet names, those of most calls. */
const MAX_SIGNERS = 50;
/** Providers that a sheet names, those of most tracebacks. */
const MAX_PROVIDERS = 100;

/** In general; the law of the agency's own State may ask for more. */
const PROCESS: CaseSheet['process'] = [
  {
    records: 'Answers of providers in the tracebacks of this campaign: each hop, with times and trunks',
    process: 'Subpoena or civil investigative demand that names the campaign or its tracebacks',
    basis: '47 USC 222(d)(2) for the exchange; 18 USC 2703(c)(2) for records of a subscriber',
  },
  {
    records: 'Live call records that providers shared, numbers among them',
    process: 'Subpoena or civil investigative demand that names numbers or providers and a stretch of time',
    basis: '18 USC 2703(c)(2)(C), records of telephone connections; a court order under 2703(d) for what goes beyond',
  },
  {
    records: 'Recordings and whole transcripts',
    process: 'Search warrant, or consent of a party to the call',
    basis: '18 USC 2702(b)(3), 2703(a): content of a communication',
  },
];

/** What a sheet is made of. */
interface CaseSheetInput {
  readonly campaign: Campaign;
  readonly figures: CampaignFigures;
  readonly tracebacks: CaseSheet['tracebacks'];
  readonly nowMs: number;
}

/** Shares to a hundredth of a percent: the samples say no more. */
const rounded = (share: number): number => Math.round(share * 1e4) / 1e4;

/** Makes the sheet of a campaign. */
export function caseSheetOf({ campaign, figures, tracebacks, nowMs }: CaseSheetInput): CaseSheet {
  const { jurisdictions, elsewhere, signers, unsigned, trend } = figures;
  const said = campaign.transcript === undefined ? '' : maskedTranscript(campaign.transcript);
  const concluded = tracebacks.filter(({ outcome }) => outcome !== undefined).length;
  return {
    format: 'hopback.case-sheet.1',
    campaignId: campaign.campaignId,
    name: campaign.name,
    ...(campaign.description !== undefined && { description: maskedTranscript(campaign.description) }),
    state: campaign.state,
    asOf: new Date(nowMs).toISOString(),
    ...(said !== '' && { said }),
    recordingSha256: campaign.recordingSha256 ?? [],
    signals: campaign.signals,
    volume: {
      firstSeenAt: campaign.firstSeenAt,
      lastSeenAt: campaign.lastSeenAt,
      observedCalls: figures.observedCalls,
      carrierRecords: figures.carrierRecords,
      appReports: figures.appReports,
      callingNumbers: campaign.callingNumbers,
      sampledCalls: figures.sampledCalls,
      ...(figures.unjoined > 0 && { unjoined: figures.unjoined }),
      callsPerMinute: figures.callsPerMinute,
      ...(trend !== undefined && { trend }),
      perHour: figures.perHour.map(({ fromMs, calls }) => ({ from: new Date(fromMs).toISOString(), calls })),
    },
    jurisdictions: jurisdictions.map((one) => ({ ...one, share: rounded(one.share) })),
    elsewhere,
    signers: signers.slice(0, MAX_SIGNERS),
    unsigned,
    providers: campaign.providers.slice(0, MAX_PROVIDERS).map(({ provider, role, tracebacks: found }) => {
      // A conclusion that the campaign knows of and the desk does not list any more counts all the same.
      const of = Math.max(concluded, found);
      const { lower, upper } = wilsonInterval(found, of);
      return {
        provider,
        role,
        tracebacks: found,
        of,
        lower: rounded(lower),
        upper: rounded(upper),
      };
    }),
    tracebacks: tracebacks.slice(0, MAX_TRACEBACKS),
    process: PROCESS,
  };
}

/** The sheet as text in Markdown, for people and files of cases. */
export function caseSheetText(sheet: CaseSheet): string {
  const { volume } = sheet;
  const share = (part: number): string => `${(part * 100).toFixed(1)} %`;
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['What is said', sheet.said === undefined ? ['No transcript.'] : [`> ${plain(sheet.said)}`]],
    [
      'Volume',
      [
        `- ${callsWithBase(volume)} observed from ${volume.callingNumbers} numbers, ${volume.firstSeenAt} to ${volume.lastSeenAt}`,
        `- ${volume.callsPerMinute} calls a minute over the last ten minutes; trend ${volume.trend ?? 'not known'}`,
        `- figures below are of the newest ${volume.sampledCalls} of these calls, each counted once`,
        ...(volume.unjoined === undefined ? [] : [unjoinedText(volume.unjoined)]),
      ],
    ],
    [
      'Where it calls',
      [
        ...sheet.jurisdictions.map((one) => `- ${one.jurisdiction}: ${one.calls} calls, ${share(one.share)}`),
        `- elsewhere or not known: ${sheet.elsewhere}`,
      ],
    ],
    [
      'Who signed',
      [
        ...sheet.signers.map(
          ({ spc, calls, attestation: { A, B, C } }) => `- ${spc}: ${calls} calls (A ${A}, B ${B}, C ${C})`,
        ),
        `- unsigned: ${sheet.unsigned}`,
      ],
    ],
    [
      'Providers, as tracebacks found them',
      sheet.providers.length === 0
        ? ['None yet.']
        : sheet.providers.map(
            (one) =>
              `- ${plain(one.provider.name)}: ${one.role} in ${one.tracebacks} of ${one.of} tracebacks (${share(one.lower)} to ${share(one.upper)} of calls, 95 %)`,
          ),
    ],
    [
      'Tracebacks',
      sheet.tracebacks.length === 0
        ? ['None yet.']
        : sheet.tracebacks.map(({ tracebackId, outcome }) => `- ${tracebackId}: ${outcome ?? 'under way'}`),
    ],
    ['What process reaches', sheet.process.map((one) => `- ${one.records}: ${one.process} (${one.basis})`)],
  ];
  const head = [`# ${plain(sheet.name)}`, '', `Campaign ${sheet.campaignId}, ${sheet.state}. As of ${sheet.asOf}.`];
  const signals = sheet.signals.length === 0 ? [] : ['', `Signals: ${sheet.signals.join(', ')}.`];
  return [...head, ...signals, ...sections.flatMap(([title, lines]) => ['', `## ${title}`, '', ...lines]), ''].join(
    '\n',
  );
}

const unjoinedText = (count: number): string =>
  `- except: ${count} records and reports were stored by an earlier release and are not joined with others of their call. Each of them counts as a call, so that figures may be too high`;

/** Text of strangers in one line that means nothing in Markdown or HTML. */
const plain = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>#|]/g, (sign) => `\\${sign}`);
