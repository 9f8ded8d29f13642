import type { DemandRecordClass } from '@hopback/sdk/internal';
import type { Demand, DemandSubmission } from '@hopback/sdk/platform';
import type { CountedCalls } from './restraint-package.js';

type DemandKind = Demand['kind'];
type DemandState = Demand['state'];

/** A law under which an agency may demand records. */
interface KnownAuthority {
  /** As reviewers cite it. */
  readonly citation: string;
  /** Whose law it is: `US`, `US-TX`. */
  readonly jurisdiction: string;
  readonly kinds: readonly DemandKind[];
  /** What a citation of it has, in lower case without stops and section signs: all of one row. */
  readonly marks: readonly (readonly string[])[];
}

const ALL: readonly DemandKind[] = ['subpoena', 'civil-investigative-demand', 'court-order'];
const INVESTIGATIVE: readonly DemandKind[] = ['subpoena', 'civil-investigative-demand'];

const law = (
  citation: string,
  jurisdiction: string,
  kinds: readonly DemandKind[],
  ...marks: readonly (readonly string[])[]
): KnownAuthority => ({ citation, jurisdiction, kinds, marks });

/**
 * Laws that demands for call records are issued under, from general knowledge of the field: to be put right here by counsel. A citation that is not
 * here is for a person to read, and is never refused for it.
 */
export const KNOWN_AUTHORITIES: readonly KnownAuthority[] = [
  law('15 USC 57b-1', 'US', ['civil-investigative-demand'], ['15 usc', '57b-1']),
  law('15 USC 49', 'US', ['subpoena'], ['15 usc 49']),
  law('18 USC 2703', 'US', ['subpoena', 'court-order'], ['18 usc', '2703']),
  law('18 USC 3486', 'US', ['subpoena'], ['18 usc', '3486']),
  law('21 USC 876', 'US', ['subpoena'], ['21 usc', '876']),
  law('31 USC 3733', 'US', ['civil-investigative-demand'], ['31 usc', '3733']),
  law('47 USC 403', 'US', INVESTIGATIVE, ['47 usc', '403']),
  law('47 USC 409', 'US', ['subpoena'], ['47 usc', '409']),
  law('Fed. R. Civ. P. 45', 'US', ['subpoena'], ['fed r civ p 45'], ['federal rule of civil procedure 45']),
  law('Fed. R. Civ. P. 65', 'US', ['court-order'], ['fed r civ p 65'], ['federal rule of civil procedure 65']),
  law('Fed. R. Crim. P. 17', 'US', ['subpoena'], ['fed r crim p 17'], ['federal rule of criminal procedure 17']),
  law('Fed. R. Crim. P. 41', 'US', ['court-order'], ['fed r crim p 41'], ['federal rule of criminal procedure 41']),
  law('Ariz. Rev. Stat. 44-1524', 'US-AZ', INVESTIGATIVE, ['44-1524']),
  law('Cal. Gov. Code 11181', 'US-CA', INVESTIGATIVE, ['cal', 'gov', '11181']),
  law('Colo. Rev. Stat. 6-1-108', 'US-CO', INVESTIGATIVE, ['6-1-108']),
  law('Fla. Stat. 501.206', 'US-FL', INVESTIGATIVE, ['501206']),
  law('O.C.G.A. 10-1-403', 'US-GA', INVESTIGATIVE, ['10-1-403']),
  law('815 ILCS 505/3', 'US-IL', INVESTIGATIVE, ['815 ilcs 505']),
  law('Ind. Code 4-6-3', 'US-IN', INVESTIGATIVE, ['ind', '4-6-3']),
  law('Mass. G.L. c. 93A, 6', 'US-MA', INVESTIGATIVE, ['93a']),
  law('Mich. Comp. Laws 445.907', 'US-MI', INVESTIGATIVE, ['445907']),
  law('Minn. Stat. 8.31', 'US-MN', INVESTIGATIVE, ['minn', '831']),
  law('Mo. Rev. Stat. 407.040', 'US-MO', INVESTIGATIVE, ['407040']),
  law('N.C. Gen. Stat. 75-10', 'US-NC', INVESTIGATIVE, ['75-10']),
  law('N.J.S.A. 56:8-3', 'US-NJ', INVESTIGATIVE, ['56:8-3']),
  law('N.Y. Exec. Law 63(12)', 'US-NY', INVESTIGATIVE, ['exec', '63(12)']),
  law('Ohio Rev. Code 1345.06', 'US-OH', INVESTIGATIVE, ['134506']),
  law('Tenn. Code Ann. 47-18-106', 'US-TN', INVESTIGATIVE, ['47-18-106']),
  law('Tex. Bus. & Com. Code 17.61', 'US-TX', ['civil-investigative-demand'], ['tex', '1761']),
  law('Va. Code 59.1-9.10', 'US-VA', INVESTIGATIVE, ['591-910']),
  law('Wash. Rev. Code 19.86.110', 'US-WA', INVESTIGATIVE, ['1986110']),
  law('Order of a court of the United States', 'US', ['court-order'], ['united states district court']),
  law('Rule of civil procedure on subpoenas', 'US', ALL, ['rules of civil procedure']),
];

/**
 * The laws that a citation names. Never throws; time linear in the text.
 * @param text - as the demand cites it, one line
 */
export function authoritiesIn(text: string): readonly KnownAuthority[] {
  const plain = plainCitation(text);
  return KNOWN_AUTHORITIES.filter(({ marks }) => marks.some((row) => row.every((mark) => hasMark(plain, mark))));
}

/** Lower case, without stops, commas, section signs and the words for them: `Tex. Bus. & Com. Code § 17.61` is `tex bus & com code 1761`. */
function plainCitation(text: string): string {
  const words = text
    .toLowerCase()
    .replaceAll('u.s.c', 'usc')
    .replaceAll('u. s. c', 'usc')
    .replace(/[.,;§]/g, '')
    .split(/\s+/)
    .filter((word) => word !== '' && word !== 'section' && word !== 'sec' && word !== 'sections');
  return ` ${words.join(' ')} `;
}

/** At the beginning of a word, and up to where no further digit follows: 49 is not 490. */
function hasMark(plain: string, mark: string): boolean {
  for (let at = plain.indexOf(` ${mark}`); at >= 0; at = plain.indexOf(` ${mark}`, at + 1)) {
    if (!/[0-9]/.test(plain.charAt(at + mark.length + 1)) || !/[0-9]$/.test(mark)) return true;
  }
  return false;
}

/** What the bytes of a PDF show without its being drawn. */
export interface PdfObservations {
  /** `1.7`, as its header says. */
  readonly version: string;
  readonly sizeBytes: number;
  /** What it is protected by, or would do by itself; what a reader should know before opening it. */
  readonly notes: readonly PdfNote[];
}

/**
 * - `encrypted`: it opens with a password, or only as its rights allow
 * - `active-content`: scripts, or actions that are done when it is opened
 * - `embedded-files`: files within it
 * - `digital-signature`: somebody signed its bytes; by whom is not looked at
 * - `compressed-objects`: parts that were not looked into. ISO 32000-1 section 7.5.7
 * - `escaped-names`: names written in a way that hides them from a search. ISO 32000-1 section 7.3.5
 * - `bytes-before-header`: more than white space in front of `%PDF`: programs that go by the first octets take it for something else, such as
 *   a page of HTML
 * - `bytes-behind-end`: more than white space behind the last end mark
 */
export type PdfNote =
  | 'encrypted'
  | 'active-content'
  | 'embedded-files'
  | 'digital-signature'
  | 'compressed-objects'
  | 'escaped-names'
  | 'bytes-before-header'
  | 'bytes-behind-end';

/** What was seen, or why these bytes are no PDF that a person could read. */
export type PdfReading =
  | { readonly status: 'read'; readonly observations: PdfObservations }
  | { readonly status: 'unreadable'; readonly reason: 'empty' | 'no-header' | 'no-end' | 'no-cross-reference' };

/** Octets at the beginning and the end in which readers look for the header and the end mark. ISO 32000-1, annex H, note 13 and 18 */
const MARGIN_BYTES = 1_024;

/** Names that something is protected by or done by itself, without the stroke in front. */
const NAMES: readonly (readonly [PdfNote, readonly string[]])[] = [
  ['encrypted', ['Encrypt']],
  [
    'active-content',
    ['JavaScript', 'JS', 'Launch', 'OpenAction', 'AA', 'RichMedia', 'XFA', 'SubmitForm', 'ImportData'],
  ],
  ['embedded-files', ['EmbeddedFile', 'EmbeddedFiles']],
  ['digital-signature', ['ByteRange']],
  ['compressed-objects', ['ObjStm']],
];

/**
 * Looks at the bytes of a PDF: whether it begins and ends as one, and what it is protected by or would do. It is neither drawn nor executed, in time
 * linear in its size. Never throws, whatever the bytes are.
 * @param octets - at most what the contract lets through
 * @see ISO 32000-1 sections 7.5.2, 7.5.5 and 7.6
 */
export function readPdf(octets: Uint8Array): PdfReading {
  if (octets.length === 0) return { status: 'unreadable', reason: 'empty' };
  const text = latin(octets);
  const header = /%PDF-([12]\.[0-9])/.exec(text.slice(0, MARGIN_BYTES));
  if (header === null) return { status: 'unreadable', reason: 'no-header' };
  const end = text.lastIndexOf('%%EOF');
  if (end < text.length - MARGIN_BYTES || end < 0) return { status: 'unreadable', reason: 'no-end' };
  const reference = text.lastIndexOf('startxref', end);
  if (reference < 0 || !/^startxref\s{1,8}[0-9]{1,10}\s/.test(text.slice(reference, reference + 40)))
    return { status: 'unreadable', reason: 'no-cross-reference' };
  return {
    status: 'read',
    observations: {
      version: header[1] ?? '',
      sizeBytes: octets.length,
      notes: notesOf(text, { start: header.index, end }),
    },
  };
}

function notesOf(text: string, { start, end }: { readonly start: number; readonly end: number }): readonly PdfNote[] {
  const front: readonly PdfNote[] = /[^\t\n\f\r ]/.test(text.slice(0, start)) ? ['bytes-before-header'] : [];
  const names = NAMES.filter(([, hidden]) => hidden.some((name) => hasName(text, name))).map(([note]) => note);
  const notes = [...front, ...names];
  // Letters and digits need no escape: whoever escapes one hides a name.
  if (/\/[A-Za-z0-9]{0,40}#(?:[46][1-9a-fA-F]|[57][0-9aA]|3[0-9])/.test(text)) notes.push('escaped-names');
  if (/[^\s\0]/.test(text.slice(end + 5))) notes.push('bytes-behind-end');
  return notes;
}

/** A name ends where no regular character follows. ISO 32000-1 section 7.2.2 */
function hasName(text: string, name: string): boolean {
  const wanted = `/${name}`;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    if (!/[A-Za-z0-9_.#-]/.test(text.charAt(at + wanted.length))) return true;
  }
  return false;
}

/** A character an octet: no decoder replaces what is no text. */
function latin(octets: Uint8Array): string {
  return new TextDecoder('latin1').decode(octets);
}

/** How soon a demand is looked at: `expedited` names a campaign that calls now, and says that review should not wait. */
export type ReviewPriority = 'expedited' | 'urgent' | 'ordinary';

/**
 * Milliseconds from submission until a decision is meant to be there. No law says how long: an order that restrains a live campaign is worth an
 * hour; what an agency calls urgent, half a working day; a subpoena, two days, so that a return date a week away leaves time for what a
 * reviewer asks back. They are targets that are shown, and nothing happens by itself when they pass.
 */
export const REVIEW_TARGET_MS: Readonly<Record<ReviewPriority, number>> = {
  expedited: 3_600_000,
  urgent: 4 * 3_600_000,
  ordinary: 48 * 3_600_000,
};

/** What the clock of a demand goes by. */
export interface ClockedDemand {
  readonly demandId: string;
  readonly state: DemandState;
  readonly isUrgent: boolean;
  /** Whether a campaign that it names calls now. */
  readonly namesLiveCampaign: boolean;
  readonly submittedAtMs: number;
  /** When the last decision was taken. */
  readonly decidedAtMs?: number;
  /** RFC 3339 full date by which production is demanded. */
  readonly returnOn: string;
}

/** How long a demand has been waiting, and how long it may. */
export interface ReviewClock {
  readonly priority: ReviewPriority;
  /** From submission to now, or to the decision. */
  readonly waitedMs: number;
  readonly targetMs: number;
  /** Milliseconds since the epoch. */
  readonly dueAtMs: number;
  /** Whether the target has passed without a decision, or had when there was one. */
  readonly isLate: boolean;
  /** Whole days until the return date, by dates of UTC; negative when it has passed. */
  readonly daysToReturn: number;
}

const DAY_MS = 86_400_000;

/**
 * The clock of a demand. Never throws.
 * @param demand - what it goes by
 * @param nowMs - milliseconds since the epoch
 */
export function reviewClock(demand: ClockedDemand, nowMs: number): ReviewClock {
  const priority = priorityOf(demand);
  const targetMs = REVIEW_TARGET_MS[priority];
  const waitedMs = Math.max(0, (demand.decidedAtMs ?? nowMs) - demand.submittedAtMs);
  const today = Math.floor(nowMs / DAY_MS);
  return {
    priority,
    waitedMs,
    targetMs,
    dueAtMs: demand.submittedAtMs + targetMs,
    isLate: waitedMs > targetMs,
    daysToReturn: Math.floor(Date.parse(`${demand.returnOn}T00:00:00Z`) / DAY_MS) - today,
  };
}

/** How soon a demand is looked at. Never throws. */
export function priorityOf(demand: Pick<ClockedDemand, 'isUrgent' | 'namesLiveCampaign'>): ReviewPriority {
  if (!demand.isUrgent) return 'ordinary';
  return demand.namesLiveCampaign ? 'expedited' : 'urgent';
}

const ORDER: Readonly<Record<ReviewPriority, number>> = { expedited: 0, urgent: 1, ordinary: 2 };

/** Rank of a priority where what is first is done first; 0 for expedited. Never throws. */
export function priorityRank(priority: ReviewPriority): number {
  return ORDER[priority];
}

/**
 * Demands in the order in which they are to be looked at: expedited, urgent, ordinary; of each, the one that waits longest first. Never throws.
 * @param demands - in any order
 */
export function reviewOrder<One extends ClockedDemand>(demands: readonly One[]): readonly One[] {
  return demands.toSorted(
    (a, b) =>
      ORDER[priorityOf(a)] - ORDER[priorityOf(b)] ||
      a.submittedAtMs - b.submittedAtMs ||
      (a.demandId < b.demandId ? -1 : 1),
  );
}

/**
 * What a reviewer goes through.
 * - `document`: the PDF opens, and does nothing by itself
 * - `signature`: signature and date, which a person has to see
 * - `authority`: the law that it cites is one that this kind of process is issued under
 * - `jurisdiction`: agency, its entry in the directory and the law belong to one jurisdiction
 * - `return-date`: it lies ahead, and leaves time
 * - `period`: a stretch of time that is not reversed, and not longer than records are retained
 * - `scope`: particular enough: names calls, numbers, campaigns, tracebacks or providers
 * - `named`: what it names is known
 * - `process`: the kind of process reaches the classes that it names. 18 USC 2702, 2703
 * - `breadth`: how much it would reach
 */
export type ReviewStep =
  | 'document'
  | 'signature'
  | 'authority'
  | 'jurisdiction'
  | 'return-date'
  | 'period'
  | 'scope'
  | 'named'
  | 'process'
  | 'breadth';

/**
 * `met`: nothing to say; `look`: a person has to look, and may decide either way; `bars`: it cannot be approved as it is, and has to be narrowed
 * or rejected.
 */
export type ReviewResult = 'met' | 'look' | 'bars';

/** One line of the checklist. */
export interface ReviewFinding {
  readonly step: ReviewStep;
  readonly result: ReviewResult;
  /** What was found, as a word. */
  readonly reason: string;
  /** For people; no telephone numbers. */
  readonly detail: string;
}

/** What is known of a demand beside itself when it is reviewed. */
export interface ReviewEstimate {
  readonly nowMs: number;
  readonly document: PdfObservations;
  /** As the directory has it; absent where the agency is not in it. */
  readonly agencyJurisdiction?: string;
  /** Named in the scope and not known here. */
  readonly unknown: {
    readonly campaigns: number;
    readonly tracebacks: number;
    /** Providers that no entry of the registry can be told to be. */
    readonly providers: number;
  };
  /** Items that it would reach, by class; `isAtLeast` where counting was ended. */
  readonly reach: Readonly<Partial<Record<DemandRecordClass, { readonly items: number; readonly isAtLeast: boolean }>>>;
  /** Calls of the records and reports that it would reach, each once; absent where it demands neither. */
  readonly calls?: CountedCalls & { readonly isAtLeast: boolean };
}

/** Days of records that a demand reaches at most without being looked at: carriers retain toll records for 18 months. 47 CFR 42.6 */
export const LONGEST_PERIOD_DAYS = 549;
/** Items of a class above which a demand is looked at for its breadth: more than one campaign brings in a month. */
export const BROAD_ITEMS = 100_000;
/** Days that review, production and retrieval take without haste. */
const UNHURRIED_DAYS = 3;

/** A demand as far as its review goes. */
export type ReviewedDemand = Pick<
  DemandSubmission,
  'kind' | 'agency' | 'authority' | 'scope' | 'returnOn' | 'reference'
>;

/**
 * Goes through a demand as a reviewer does, and says of each step what was found. It decides nothing: what a program cannot see it leaves to a person
 * by name. Never throws.
 * @param demand - as the agency submitted it, or as it would be narrowed
 * @param estimate - what is known of it beside itself
 * @returns a finding for every step, in the order of {@link ReviewStep}
 * @see 18 USC 2702, 2703
 */
export function reviewFindings(demand: ReviewedDemand, estimate: ReviewEstimate): readonly ReviewFinding[] {
  return [
    documentFinding(estimate.document),
    signatureFinding(estimate.document),
    authorityFinding(demand),
    jurisdictionFinding(demand, estimate),
    returnFinding(demand, estimate.nowMs),
    periodFinding(demand),
    scopeFinding(demand),
    namedFinding(estimate),
    processFinding(demand),
    breadthFinding(estimate),
  ];
}

/**
 * Classes of a demand that its kind of process does not reach: they cannot be approved. What was said on a call is content, for which a subpoena or
 * civil investigative demand is not enough. Never throws.
 * @see 18 USC 2702(a), 2703(a), 2703(b)
 */
export function classesBeyond(kind: DemandKind, classes: readonly DemandRecordClass[]): readonly DemandRecordClass[] {
  return kind === 'court-order' ? [] : classes.filter((one) => one === 'recordings');
}

const finding =
  (result: ReviewResult) =>
  (step: ReviewStep, reason: string, detail: string): ReviewFinding => ({ step, result, reason, detail });
const met = finding('met');
const look = finding('look');
const bars = finding('bars');

function documentFinding({ version, sizeBytes, notes }: PdfObservations): ReviewFinding {
  const seen = notes.filter((note) => note !== 'digital-signature' && note !== 'compressed-objects');
  const about = `PDF ${version}, ${sizeBytes} octets`;
  if (seen.length === 0) return met('document', 'plain', `${about}; nothing in it was seen to act by itself.`);
  const reason = seen.includes('encrypted') ? 'encrypted' : (seen[0] ?? 'noted');
  return look('document', reason, `${about}. Noted: ${seen.join(', ')}. Open it where that does no harm.`);
}

function signatureFinding({ notes }: PdfObservations): ReviewFinding {
  return notes.includes('digital-signature')
    ? look('signature', 'digital', 'It has a digital signature, which was not verified: see whose, and the date.')
    : look('signature', 'none-digital', 'It has no digital signature: see that it is signed by hand, and dated.');
}

function authorityFinding({ authority, kind }: ReviewedDemand): ReviewFinding {
  const known = authoritiesIn(authority);
  if (known.length === 0) return look('authority', 'not-known', 'The law that it cites is not in the table: read it.');
  if (known.some(({ kinds }) => kinds.includes(kind))) return met('authority', 'known', `Cites ${citations(known)}.`);
  return look('authority', 'other-kind', `Cites ${citations(known)}, under which no ${kind} is known.`);
}

function citations(known: readonly KnownAuthority[]): string {
  return known.map(({ citation }) => citation).join(' and ');
}

function jurisdictionFinding(demand: ReviewedDemand, { agencyJurisdiction }: ReviewEstimate): ReviewFinding {
  const { jurisdiction } = demand.agency;
  if (agencyJurisdiction === undefined)
    return look('jurisdiction', 'not-listed', 'Who submitted it is no agency of the directory.');
  if (agencyJurisdiction !== jurisdiction)
    return look('jurisdiction', 'other-than-listed', `It says ${jurisdiction}, the directory ${agencyJurisdiction}.`);
  const laws = authoritiesIn(demand.authority);
  const isOwn = laws.length === 0 || laws.some((one) => one.jurisdiction === jurisdiction || one.jurisdiction === 'US');
  return isOwn
    ? met('jurisdiction', 'same', `Agency and law are of ${jurisdiction}.`)
    : look('jurisdiction', 'law-of-another', `The agency is of ${jurisdiction}, the law is ${citations(laws)}.`);
}

function returnFinding({ returnOn }: ReviewedDemand, nowMs: number): ReviewFinding {
  const days = Math.floor(Date.parse(`${returnOn}T00:00:00Z`) / DAY_MS) - Math.floor(nowMs / DAY_MS);
  if (days < 0) return look('return-date', 'passed', `The return date passed ${-days} days ago.`);
  if (days < UNHURRIED_DAYS) return look('return-date', 'near', `The return date is ${days} days away.`);
  return met('return-date', 'ahead', `The return date is ${days} days away.`);
}

function periodFinding({ scope }: ReviewedDemand): ReviewFinding {
  const days = (Date.parse(scope.to) - Date.parse(scope.from)) / DAY_MS;
  if (!(days > 0)) return bars('period', 'reversed', 'It ends before it begins: nothing can be in it.');
  const shown = `${Math.ceil(days)} days`;
  return days > LONGEST_PERIOD_DAYS
    ? look('period', 'long', `It spans ${shown}; toll records are retained for 18 months. 47 CFR 42.6`)
    : met('period', 'bounded', `It spans ${shown}.`);
}

function scopeFinding({ scope }: ReviewedDemand): ReviewFinding {
  const { callingNumbers, calledNumbers, campaignIds, tracebackIds, providers } = scope;
  if (campaignIds ?? tracebackIds ?? callingNumbers ?? calledNumbers)
    return met('scope', 'particular', 'It names campaigns, tracebacks or numbers.');
  if (providers !== undefined)
    return look('scope', 'providers-only', 'It names providers alone: all that they handled in that time.');
  return bars('scope', 'everything', 'It names nothing but a time: everything of everybody. Narrow it.');
}

function namedFinding({ unknown }: ReviewEstimate): ReviewFinding {
  const parts = [
    ...(unknown.campaigns > 0 ? [`${unknown.campaigns} campaigns`] : []),
    ...(unknown.tracebacks > 0 ? [`${unknown.tracebacks} tracebacks`] : []),
    ...(unknown.providers > 0 ? [`${unknown.providers} providers`] : []),
  ];
  return parts.length === 0
    ? met('named', 'known', 'What it names is known.')
    : look('named', 'unknown', `Not known here, so that nothing is produced for them: ${parts.join(', ')}.`);
}

function processFinding({ kind, scope }: ReviewedDemand): ReviewFinding {
  const beyond = classesBeyond(kind, scope.recordClasses);
  if (beyond.length > 0)
    return bars(
      'process',
      'content',
      `A ${kind} does not reach ${beyond.join(', ')}: content of calls. 18 USC 2702(a), 2703`,
    );
  if (scope.recordClasses.includes('recordings'))
    return look(
      'process',
      'content-by-order',
      'It demands content: see that the order says so. 18 USC 2703(a), (b), (d)',
    );
  if (scope.recordClasses.includes('customer-records'))
    return look('process', 'customers', 'It demands what was said of customers. 18 USC 2703(c)(2), 47 USC 222');
  return met('process', 'reached', `A ${kind} reaches the classes that it names. 18 USC 2703(c)`);
}

function breadthFinding({ reach, calls }: ReviewEstimate): ReviewFinding {
  const counted = Object.entries(reach);
  const atLeast = (of: { readonly isAtLeast: boolean }): string => (of.isAtLeast ? 'at least ' : '');
  const byClass = counted.map(([name, one]) => `${name}: ${atLeast(one)}${one.items}`);
  const inCalls =
    calls === undefined
      ? []
      : [
          `these are of ${atLeast(calls)}${calls.calls} calls (${calls.carrierRecords} carrier records, ${calls.appReports} app reports)`,
        ];
  const detail = [...byClass, ...inCalls].join('; ');
  const isBroad = counted.some(([, { items, isAtLeast }]) => isAtLeast || items > BROAD_ITEMS);
  const isEmpty = counted.every(([, { items }]) => items === 0);
  if (isEmpty) return look('breadth', 'nothing', 'As of now it reaches nothing.');
  return isBroad
    ? look('breadth', 'broad', `It reaches ${detail}. See whether less would do.`)
    : met('breadth', 'moderate', `It reaches ${detail}.`);
}
