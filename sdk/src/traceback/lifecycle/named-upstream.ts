import type { Draft } from '../../core/draft.js';
import { currentRequest, generations, hopRequest } from './hop-request.js';
import type { HopQuestion, HopRequest } from './hop-request.js';
import type { KnownFacts } from './known-facts.js';
import { isSameProvider } from './provider-identity.js';
import { ARM_MEANINGS } from './statement.js';
import { tracedHop } from './traced-hop.js';
import type { TracedHop } from './traced-hop.js';
import type { FactOf, ReportFact, StatementFact } from './traceback-state.js';

/** The request that an answer leads to, as of now. Undefined where it names nobody. */
export function namedRequest(hop: TracedHop, facts: KnownFacts): HopRequest | undefined {
  const { current } = hop;
  if (current === undefined || !names(current)) return undefined;
  const known = facts.namedRequests.get(hop.requestId);
  if (known?.from === hop) return known.request;
  const requests = generations(namedQuestion(hop, current, facts), facts);
  const request = currentRequest(requests, facts);
  facts.namedRequests.set(hop.requestId, { from: hop, request, firstId: requests[0].requestId });
  return request;
}

/** Whether a statement names the provider to ask next. */
function names({ arm, otherCall }: StatementFact): boolean {
  return ARM_MEANINGS[arm].names && otherCall === undefined;
}

/** All questions to which a provider's answers and neighbours have led, those that were amended or chosen away included. */
export function onceAsked(hop: TracedHop, facts: KnownFacts): readonly HopQuestion[] {
  const named = hop.statements.filter(names).flatMap((statement) => {
    const unidentified = namedQuestion(hop, statement, facts, []);
    return identifications(unidentified, facts).length === 0
      ? [unidentified]
      : identifications(unidentified, facts).map((identified) => namedQuestion(hop, statement, facts, [identified]));
  });
  return [...named, ...reportsTo(hop, facts).map((report) => reportedQuestion(hop, report))];
}

/** What is known of the neighbours of a hop: who says that it sent the call to this provider. */
export interface Neighbours {
  /** Whose report is followed: the only one that there is, or the one that a person chose. */
  readonly followed?: ReportFact;
  /** Different providers that report. */
  readonly count: number;
}

/** Who reports to have sent the call to the provider of a hop. */
export function neighboursOf(hop: TracedHop, facts: KnownFacts): Neighbours {
  const reports = reportsTo(hop, facts);
  const different = reports.filter(
    (report, index) => reports.findIndex((other) => isSameProvider(other.provider, report.provider)) === index,
  );
  const chosen = facts.choices.get(hop.requestId)?.reportId;
  const followed = reports.find(({ id }) => id === chosen) ?? (different.length === 1 ? different[0] : undefined);
  return { count: different.length, ...(followed !== undefined && { followed }) };
}

/** Reports of others that they sent the call to the provider of a hop; what it reports of itself is none. */
export function reportsTo({ provider }: TracedHop, { reports, state }: KnownFacts): readonly ReportFact[] {
  if (provider === undefined || state.direction === 'forward') return [];
  return reports.filter(
    (report) => isSameProvider(report.sentTo, provider) && !isSameProvider(report.provider, provider),
  );
}

/** The request that a neighbour's report leads to. */
export function reportedRequest(hop: TracedHop, report: ReportFact, facts: KnownFacts): HopRequest {
  return hopRequest(reportedQuestion(hop, report), facts);
}

/** A hop to which the traceback leads now. */
export function hopOnPath(request: HopRequest, facts: KnownFacts): TracedHop {
  const known = facts.tracedHops.get(request.requestId);
  // One request can be led to by an answer and by a report.
  if (known !== undefined && known.basedOn === request.basedOn) return known;
  const settled = facts.settledHops.get(request.requestId);
  const hop =
    settled !== undefined && isSameQuestion(settled, request)
      ? settled
      : tracedHop(request, facts, { isOnPath: true, withdrawnAtMs: facts.cancelled?.atMs });
  facts.tracedHops.set(request.requestId, hop);
  return hop;
}

/** Whether two questions with one id came about in the same way; providers of the same facts are the same objects. */
export function isSameQuestion(one: HopRequest, other: HopRequest): boolean {
  return (
    one.basedOn === other.basedOn &&
    one.fromRequestId === other.fromRequestId &&
    one.namedBy === other.namedBy &&
    one.provider === other.provider &&
    one.contact === other.contact &&
    one.downstream === other.downstream
  );
}

function reportedQuestion(hop: TracedHop, { provider, id }: ReportFact): HopQuestion {
  return {
    hop: hop.hop + 1,
    provider,
    ...(hop.provider !== undefined && { downstream: hop.provider }),
    namedBy: 'neighbour',
    fromRequestId: hop.requestId,
    basedOn: id,
  };
}

/** What an answer leads to ask. `known`: who the one is that no registry has; the latest finding where it is not given. */
function namedQuestion(
  hop: TracedHop,
  { upstream, contact, id }: StatementFact,
  facts: KnownFacts,
  known?: readonly FactOf<'identified'>[],
): HopQuestion {
  const question: Draft<HopQuestion> = {
    hop: hop.hop + 1,
    namedBy: 'answer',
    fromRequestId: hop.requestId,
    basedOn: id,
  };
  if (upstream !== undefined) question.provider = upstream;
  if (contact !== undefined) question.contact = contact;
  if (hop.provider !== undefined) question.downstream = hop.provider;
  if (upstream !== undefined) return question;
  const [identified] = known ?? identifications(question, facts);
  return identified === undefined ? question : { ...question, provider: identified.provider };
}

/** Who an unlisted provider was found to be, the latest finding first. */
function identifications(question: HopQuestion, facts: KnownFacts): readonly FactOf<'identified'>[] {
  if (question.provider !== undefined) return [];
  const ids = new Set(generations(question, facts).map(({ requestId }) => requestId));
  return facts.identified
    .filter(({ requestId }) => ids.has(requestId))
    .sort((one, other) => other.atMs - one.atMs || (one.id < other.id ? -1 : 1));
}
