import { csvField } from '../demands/produced-rows.js';
import type { CountedRequest, ProviderStanding } from './scorecard.js';
import { scorecardOf } from './scorecard.js';

/** What the yearly report is made of. */
export interface ParticipationReport {
  /** Calendar year, in UTC. */
  readonly year: number;
  readonly standings: readonly ProviderStanding[];
  /** Business name and number by provider. */
  readonly names: ReadonlyMap<string, { readonly businessName: string; readonly frn?: string }>;
}

/** Whether a provider took part in one traceback. */
type Participation = 'participated' | 'participated-late' | 'refused' | 'did-not-respond' | 'not-counted';

type ReportLine = ReturnType<typeof lineOf>;

const COLUMNS = {
  providerId: 'provider_id',
  businessName: 'business_name',
  frn: 'frn',
  requestId: 'request_id',
  tracebackId: 'traceback_id',
  campaignId: 'campaign_id',
  hop: 'hop',
  issuedAt: 'issued_at',
  dueAt: 'due_at',
  answeredAt: 'answered_at',
  participation: 'participation',
  reason: 'reason_given',
  answer: 'answer',
  role: 'role',
  disputed: 'disputed',
  contest: 'contest',
} as const satisfies Record<keyof ReportLine, string>;

/**
 * The yearly report as CSV: a line for each request, with whether the provider took part and the reason that it gave. Made of the same
 * requests it has the same bytes: nothing in it is of the time when it was made. Cells that a spreadsheet would take for a formula
 * begin with an apostrophe.
 * @see TRACED Act, Pub. L. 116-105, section 13(d); RFC 4180
 */
export function participationCsv(report: ParticipationReport): string {
  const names = Object.values(COLUMNS).join(',');
  const members = Object.keys(COLUMNS) as readonly (keyof ReportLine)[];
  const lines = linesOf(report).map((line) => members.map((member) => csvField(String(line[member]))).join(','));
  return [names, ...lines, ''].join('\r\n');
}

/** The same as JSON, with each provider's rates. */
export function participationJson(report: ParticipationReport): string {
  const range = { fromMs: Date.UTC(report.year, 0, 1), toMs: Date.UTC(report.year + 1, 0, 1) };
  const lines = new Map<string, ReportLine[]>();
  for (const line of linesOf(report)) {
    const own = lines.get(line.providerId) ?? [];
    if (own.length === 0) lines.set(line.providerId, own);
    own.push(line);
  }
  const providers = sorted(report.standings).map((standing) => {
    const own = lines.get(standing.providerId) ?? [];
    const of = (kind: Participation): number => own.filter(({ participation }) => participation === kind).length;
    const { rates, concerns, requests, tracedCalls } = scorecardOf(standing, range);
    return {
      providerId: standing.providerId,
      ...nameOf(report, standing.providerId),
      participated: of('participated') + of('participated-late'),
      late: of('participated-late'),
      refused: of('refused'),
      didNotRespond: of('did-not-respond'),
      notCounted: of('not-counted'),
      counts: requests,
      tracedCalls,
      rates,
      concerns,
      requests: own.map(({ providerId: _id, businessName: _name, frn: _frn, ...line }) => line),
    };
  });
  const { fromMs, toMs } = range;
  return `${JSON.stringify({
    format: 'hopback.participation-report.1',
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    providers,
  })}\n`;
}

function linesOf(report: ParticipationReport): readonly ReportLine[] {
  return sorted(report.standings).flatMap((standing) =>
    [...standing.requests]
      .sort(({ outcome: one }, { outcome: other }) =>
        one.issuedAtMs === other.issuedAtMs
          ? compared(one.requestId, other.requestId)
          : one.issuedAtMs - other.issuedAtMs,
      )
      .map((request) => lineOf(request, { frn: '', ...nameOf(report, standing.providerId) })),
  );
}

/** By code unit: the order of letters is another in every country. */
const compared = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

const sorted = (standings: readonly ProviderStanding[]): readonly ProviderStanding[] =>
  [...standings].sort((one, other) => compared(one.providerId, other.providerId));

const nameOf = (
  { names }: ParticipationReport,
  providerId: string,
): { readonly businessName: string; readonly frn?: string } => names.get(providerId) ?? { businessName: '' };

function lineOf(request: CountedRequest, named: { readonly businessName: string; readonly frn: string }) {
  const { outcome, excluded, contest, timeliness } = request;
  const participation = participationOf(request);
  const given = participation === 'not-counted' ? (excluded ?? timeliness) : (outcome.reason ?? '');
  return {
    providerId: outcome.providerId,
    ...named,
    requestId: outcome.requestId,
    tracebackId: outcome.tracebackId,
    campaignId: outcome.campaignId ?? '',
    hop: outcome.hop,
    issuedAt: timeOf(outcome.issuedAtMs),
    dueAt: timeOf(outcome.dueAtMs),
    answeredAt: timeOf(outcome.answeredAtMs),
    participation,
    /** In the words of the provider where it refused, or why the request is not counted. */
    reason: participation === 'did-not-respond' && given === '' ? 'no answer was given' : given,
    answer: outcome.arm ?? '',
    role: outcome.isDisputed ? '' : (outcome.role ?? ''),
    disputed: outcome.isDisputed,
    contest: contest ?? '',
  };
}

function participationOf({ outcome, excluded, timeliness }: CountedRequest): Participation {
  if (excluded !== undefined || timeliness === 'open') return 'not-counted';
  if (timeliness === 'unanswered') return 'did-not-respond';
  if (outcome.arm === 'refused') return 'refused';
  return timeliness === 'late' ? 'participated-late' : 'participated';
}

const timeOf = (ms: number | undefined): string => (ms === undefined ? '' : new Date(ms).toISOString());
