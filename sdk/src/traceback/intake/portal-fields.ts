import type { AnsweredCall, TracebackAnswer } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import { ACTION_WORDS, FINDING_WORDS, findingFields, searchText } from './answer-words.js';
import type { Said } from './answer-words.js';
import { isDerivedId } from './derived-id.js';
import { visibleText } from './visible-text.js';

/** One field of a form: what it is called, and what is put into it. */
export interface PortalField {
  readonly label: string;
  readonly value: string;
}

/**
 * An answer as the fields of a form, in the order in which the portal of a traceback group asks: which request, which response, what the
 * response needs, the call, what was done, what was searched, comments. Each arm has its own fields; what is not known is left out. Values
 * are one line each, ids that the requester did not state are left out, and so are characters that nobody sees. Never throws.
 * @param answer - of the asked provider
 * @param request - that it answers
 * @returns labels and values, to be copied one by one
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const text = 'Traceback ID: 4711\nCalled Number: +12025550101\nDate/Time of call: 2026-10-23 15:41 UTC';
 * const [read] = readPastedText(text, { receivedAtMs: Date.UTC(2026, 9, 24) }).requests;
 * const answer: TracebackAnswer = {
 *   format: 'hopback.traceback-answer.1',
 *   answerId: 'a-1',
 *   requestId: 'r-1',
 *   tracebackId: '4711',
 *   revision: 1,
 *   answeredAt: '2026-10-24T00:01:00Z',
 *   provider: { name: 'Example Telephone' },
 *   answeredBy: { kind: 'automatic', policyId: 'default' },
 *   finding: { arm: 'not-found' },
 *   searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 0 },
 * };
 * if (read?.status === 'clear') console.log(portalFields(answer, read.request)[3]?.label); // Response
 * ```
 */
export function portalFields(answer: TracebackAnswer, request: TracebackRequest): readonly PortalField[] {
  const { finding, call, upstreamAction, amends } = answer;
  return said([
    ['Traceback', isDerivedId(request.tracebackId) ? undefined : request.tracebackId],
    ['Request', isDerivedId(request.requestId) ? undefined : request.requestId],
    ['Called number', request.call.called],
    ['Calling number', request.call.calling],
    ['Date and time asked for', request.call.at.asWritten],
    ['Response', FINDING_WORDS[finding.arm]],
    ...findingFields(finding),
    ...(call === undefined ? [] : callSaid(call)),
    ['Action about whoever sent the call', upstreamAction === undefined ? undefined : ACTION_WORDS[upstreamAction]],
    ['Searched', searchText(answer.searched)],
    ['Evidence', evidenceText(answer)],
    ['Amends', amends === undefined ? undefined : `answer ${amends.answerId}: ${amends.reason}`],
    ['Comments', answer.comment],
  ]);
}

function callSaid(call: AnsweredCall): readonly Said[] {
  const { received, signed, release } = call;
  return [
    ['Call began', call.startedAt],
    ['Call answered', call.answeredAt],
    ['Call ended', call.endedAt],
    ['Number called, in our record', call.called],
    ['Other numbers for the called party, in our record', call.divertedTo?.join(', ')],
    ['Number calling, in our record', call.calling],
    ['Outcome of the call', call.disposition],
    ['Release cause', release === undefined ? undefined : releaseText(release)],
    ['Blocked by', call.blockedBy],
    ['Ingress trunk', call.ingressTrunk],
    ['Source IP of the signaling', call.ingressAddress],
    ['SIP Call-ID', call.ingressCallId],
    ['Egress trunk', call.egressTrunk],
    ['Attestation received', received?.attestation],
    ['Verification result', received?.verstat],
    ['OrigID received', received?.origId],
    ['Signed by (SPC)', received?.spc],
    ['Attestation that we signed', signed?.attestation],
    ['Basis of our attestation', signed?.basis],
    ['OrigID that we signed', signed?.origId],
  ];
}

function releaseText({ sipStatus, q850Cause, cause, party }: NonNullable<AnsweredCall['release']>): string | undefined {
  const parts = [
    sipStatus === undefined ? undefined : `SIP ${String(sipStatus)}`,
    q850Cause === undefined ? undefined : `Q.850 ${String(q850Cause)}`,
    cause,
    party === undefined ? undefined : `by the ${party} party`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

function evidenceText({ evidence }: TracebackAnswer): string | undefined {
  if (evidence === undefined) return undefined;
  return `pack ${evidence.packId}, manifest SHA-256 ${evidence.manifestSha256}`;
}

function said(fields: readonly Said[]): readonly PortalField[] {
  return fields.flatMap(([label, value]) => {
    const shown = value === undefined ? '' : visibleText(value);
    return shown === '' ? [] : [{ label, value: shown }];
  });
}
