import type { DemandKind, DemandRecordClass, DemandSubmission } from '@hopback/sdk/platform';
import { authoritiesIn, type KnownAuthority } from './authorities.js';
import type { PdfObservations } from './pdf-document.js';
import type { CountedCalls } from './restraint-volume.js';

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
const DAY_MS = 86_400_000;

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

function finding(step: ReviewStep, result: ReviewResult, reason: string, detail: string): ReviewFinding {
  return { step, result, reason, detail };
}

function documentFinding({ version, sizeBytes, notes }: PdfObservations): ReviewFinding {
  const seen = notes.filter((note) => note !== 'digital-signature' && note !== 'compressed-objects');
  const about = `PDF ${version}, ${sizeBytes} octets`;
  if (seen.length === 0)
    return finding('document', 'met', 'plain', `${about}; nothing in it was seen to act by itself.`);
  const reason = seen.includes('encrypted') ? 'encrypted' : (seen[0] ?? 'noted');
  return finding('document', 'look', reason, `${about}. Noted: ${seen.join(', ')}. Open it where that does no harm.`);
}

function signatureFinding({ notes }: PdfObservations): ReviewFinding {
  return notes.includes('digital-signature')
    ? finding(
        'signature',
        'look',
        'digital',
        'It has a digital signature, which was not verified: see whose, and the date.',
      )
    : finding(
        'signature',
        'look',
        'none-digital',
        'It has no digital signature: see that it is signed by hand, and dated.',
      );
}

function authorityFinding({ authority, kind }: ReviewedDemand): ReviewFinding {
  const known = authoritiesIn(authority);
  if (known.length === 0)
    return finding('authority', 'look', 'not-known', 'The law that it cites is not in the table: read it.');
  if (known.some(({ kinds }) => kinds.includes(kind)))
    return finding('authority', 'met', 'known', `Cites ${citations(known)}.`);
  return finding('authority', 'look', 'other-kind', `Cites ${citations(known)}, under which no ${kind} is known.`);
}

function citations(known: readonly KnownAuthority[]): string {
  return known.map(({ citation }) => citation).join(' and ');
}

function jurisdictionFinding(demand: ReviewedDemand, { agencyJurisdiction }: ReviewEstimate): ReviewFinding {
  const { jurisdiction } = demand.agency;
  if (agencyJurisdiction === undefined)
    return finding('jurisdiction', 'look', 'not-listed', 'Who submitted it is no agency of the directory.');
  if (agencyJurisdiction !== jurisdiction)
    return finding(
      'jurisdiction',
      'look',
      'other-than-listed',
      `It says ${jurisdiction}, the directory ${agencyJurisdiction}.`,
    );
  const laws = authoritiesIn(demand.authority);
  const isOwn = laws.length === 0 || laws.some((one) => one.jurisdiction === jurisdiction || one.jurisdiction === 'US');
  return isOwn
    ? finding('jurisdiction', 'met', 'same', `Agency and law are of ${jurisdiction}.`)
    : finding(
        'jurisdiction',
        'look',
        'law-of-another',
        `The agency is of ${jurisdiction}, the law is ${citations(laws)}.`,
      );
}

function returnFinding({ returnOn }: ReviewedDemand, nowMs: number): ReviewFinding {
  const days = Math.floor(Date.parse(`${returnOn}T00:00:00Z`) / DAY_MS) - Math.floor(nowMs / DAY_MS);
  if (days < 0) return finding('return-date', 'look', 'passed', `The return date passed ${-days} days ago.`);
  if (days < UNHURRIED_DAYS) return finding('return-date', 'look', 'near', `The return date is ${days} days away.`);
  return finding('return-date', 'met', 'ahead', `The return date is ${days} days away.`);
}

function periodFinding({ scope }: ReviewedDemand): ReviewFinding {
  const days = (Date.parse(scope.to) - Date.parse(scope.from)) / DAY_MS;
  if (!(days > 0)) return finding('period', 'bars', 'reversed', 'It ends before it begins: nothing can be in it.');
  const shown = `${Math.ceil(days)} days`;
  return days > LONGEST_PERIOD_DAYS
    ? finding('period', 'look', 'long', `It spans ${shown}; toll records are retained for 18 months. 47 CFR 42.6`)
    : finding('period', 'met', 'bounded', `It spans ${shown}.`);
}

function scopeFinding({ scope }: ReviewedDemand): ReviewFinding {
  const { callingNumbers, calledNumbers, campaignIds, tracebackIds, providers } = scope;
  if (campaignIds ?? tracebackIds ?? callingNumbers ?? calledNumbers)
    return finding('scope', 'met', 'particular', 'It names campaigns, tracebacks or numbers.');
  if (providers !== undefined)
    return finding('scope', 'look', 'providers-only', 'It names providers alone: all that they handled in that time.');
  return finding('scope', 'bars', 'everything', 'It names nothing but a time: everything of everybody. Narrow it.');
}

function namedFinding({ unknown }: ReviewEstimate): ReviewFinding {
  const parts = [
    ...(unknown.campaigns > 0 ? [`${unknown.campaigns} campaigns`] : []),
    ...(unknown.tracebacks > 0 ? [`${unknown.tracebacks} tracebacks`] : []),
    ...(unknown.providers > 0 ? [`${unknown.providers} providers`] : []),
  ];
  return parts.length === 0
    ? finding('named', 'met', 'known', 'What it names is known.')
    : finding('named', 'look', 'unknown', `Not known here, so that nothing is produced for them: ${parts.join(', ')}.`);
}

function processFinding({ kind, scope }: ReviewedDemand): ReviewFinding {
  const beyond = classesBeyond(kind, scope.recordClasses);
  if (beyond.length > 0)
    return finding(
      'process',
      'bars',
      'content',
      `A ${kind} does not reach ${beyond.join(', ')}: content of calls. 18 USC 2702(a), 2703`,
    );
  if (scope.recordClasses.includes('recordings'))
    return finding(
      'process',
      'look',
      'content-by-order',
      'It demands content: see that the order says so. 18 USC 2703(a), (b), (d)',
    );
  if (scope.recordClasses.includes('customer-records'))
    return finding(
      'process',
      'look',
      'customers',
      'It demands what was said of customers. 18 USC 2703(c)(2), 47 USC 222',
    );
  return finding('process', 'met', 'reached', `A ${kind} reaches the classes that it names. 18 USC 2703(c)`);
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
  if (isEmpty) return finding('breadth', 'look', 'nothing', 'As of now it reaches nothing.');
  return isBroad
    ? finding('breadth', 'look', 'broad', `It reaches ${detail}. See whether less would do.`)
    : finding('breadth', 'met', 'moderate', `It reaches ${detail}.`);
}
