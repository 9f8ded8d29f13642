import type {
  ContactDetails,
  FindingArm,
  ProviderReference,
  RequestedCall,
  Requester,
  TracebackAnswer,
  TracebackFinding,
  TracebackRequest,
} from '@hopback/sdk/traceback';
import type { TracebackView } from '@hopback/sdk/internal';

/** Makes a keyed pseudonym of a value. */
export type Pseudonym = (value: string) => string;

/** As long as a text may be that the course of a traceback keeps. */
const KEPT_TEXT = 1_000;

/**
 * An answer as the state of a traceback may keep it, which lies in the database in the clear: without telephone numbers. What the provider said in
 * full is in its JWS, which is sealed.
 * @returns the answer; never throws
 */
export function veiledAnswer(answer: TracebackAnswer, pseudonym: Pseudonym): TracebackAnswer {
  const { amends, call: _call, comment: _comment, ...rest } = answer;
  return {
    ...rest,
    finding: veiledFinding(answer.finding, pseudonym),
    ...(amends !== undefined && { amends: { ...amends, reason: withoutNumbers(amends.reason) } }),
  };
}

function veiledFinding(finding: TracebackFinding, pseudonym: Pseudonym): TracebackFinding {
  switch (finding.arm) {
    case 'received-from-unlisted':
    case 'point-of-entry':
      return { ...finding, upstream: veiledContact(finding.upstream, pseudonym) };
    case 'origin':
    case 'serves-number': {
      const { customerId, contact, action } = finding.customer;
      // Only whether there is one counts.
      const isKnown = customerId !== undefined || contact !== undefined;
      return { arm: finding.arm, customer: { ...(isKnown && { customerId: 'stated' }), ...(action && { action }) } };
    }
    case 'refused':
      return { arm: 'refused', reason: withoutNumbers(finding.reason) };
    default:
      return finding;
  }
}

/** Contacts are told apart by all that they state, so that a pseudonym stands in the place of a number. */
function veiledContact({ name, email, telephone, country }: ContactDetails, pseudonym: Pseudonym): ContactDetails {
  return {
    name: withoutNumbers(name),
    ...(email !== undefined && { email: withoutNumbers(email) }),
    ...(telephone !== undefined && { telephone: pseudonym(telephone) }),
    ...(country !== undefined && { country }),
  };
}

/**
 * A text with every run of digits that may be a telephone number taken out: seven digits or more, with what is written between them.
 * @returns at most 1,000 characters; never throws, takes linear time
 */
export function withoutNumbers(text: string): string {
  let kept = '';
  let run = '';
  let digits = 0;
  const end = (): void => {
    kept += digits >= 7 ? '[number]' : run;
    run = '';
    digits = 0;
  };
  for (const character of text.slice(0, 2 * KEPT_TEXT)) {
    const isDigit = character >= '0' && character <= '9';
    if (isDigit || (run !== '' && ' -.()/'.includes(character)) || (run === '' && character === '+')) {
      run += character;
      if (isDigit) digits += 1;
    } else {
      end();
      kept += character;
    }
  }
  end();
  return kept.slice(0, KEPT_TEXT);
}

/** Which part a provider had in a call, as far as a traceback has come to something. */
export type RequestRole = 'origin' | 'point-of-entry' | 'transit' | 'terminating';

/** What became of a request, as far as it follows from the course of its traceback: kept beside it, so that counting reads no course. */
export interface RequestResult {
  /** Of the answer that counts. */
  readonly arm?: FindingArm;
  /** Of a refusal, without telephone numbers. */
  readonly reason?: string;
  readonly role?: RequestRole;
  readonly isDisputed: boolean;
  readonly isNonResponsive: boolean;
}

/** What is known of a request that has just been sent. */
export const NO_RESULT: RequestResult = { isDisputed: false, isNonResponsive: false };

/**
 * What became of the request of a hop.
 * @returns the result, the same for the same course; never throws
 */
export function requestResult(hop: TracebackView['path'][number], view: TracebackView): RequestResult {
  const role = requestRole(hop, view);
  const { current, state } = hop;
  return {
    ...(current !== undefined && { arm: current.arm }),
    ...(current?.reason !== undefined && { reason: withoutNumbers(current.reason) }),
    ...(role !== undefined && { role }),
    isDisputed: isDisputedHop(hop, view),
    isNonResponsive: state === 'non-responsive',
  };
}

/** Whether two results say the same. */
export const isSameResult = (one: RequestResult, other: RequestResult): boolean =>
  one.arm === other.arm &&
  one.reason === other.reason &&
  one.role === other.role &&
  one.isDisputed === other.isDisputed &&
  one.isNonResponsive === other.isNonResponsive;

/**
 * Which part the provider of a hop had in the call: by its own word, and for the gateway also by that of the outcome. Undefined while the
 * traceback has come to nothing, or where a statement is contested.
 */
function requestRole(hop: TracebackView['path'][number], view: TracebackView): RequestRole | undefined {
  if (view.outcome === undefined || isDisputedHop(hop, view)) return undefined;
  if (hop.role === 'origin' || hop.role === 'point-of-entry') return hop.role;
  const { outcome } = view;
  const isGateway = outcome.kind === 'foreign-provider' && view.path.at(-2)?.requestId === hop.requestId;
  if (isGateway) return 'point-of-entry';
  if (hop.role !== 'transit') return undefined;
  return hop.hop === 1 ? 'terminating' : 'transit';
}

/** Whether a statement of the hop and one of a neighbour contradict each other, and nobody has decided it for the hop. */
function isDisputedHop({ requestId }: TracebackView['path'][number], { disputes, path, left }: TracebackView): boolean {
  return disputes.some((dispute) => {
    const asked = [...path, ...left].find((hop) => `denied:${hop.requestId}` === dispute.disputeId);
    const isParty = dispute.requestId === requestId || asked?.requestId === requestId;
    if (!isParty) return false;
    const ruling = dispute.ruling?.ruling;
    if (ruling === undefined || ruling === 'undecided') return true;
    const isDownstream = dispute.requestId === requestId && asked?.requestId !== requestId;
    return isDownstream ? ruling !== 'downstream-stands' : ruling !== 'upstream-stands';
  });
}

/** A question to a provider, as far as it is the same in two tracebacks. */
export interface ProviderQuestion {
  readonly providerId: string;
  readonly direction: TracebackRequest['direction'];
  readonly requester: Requester;
  readonly downstream?: ProviderReference;
  readonly call: RequestedCall;
}

/**
 * What makes two questions one, as text: the same provider, asked on behalf of the same requester about the same call as seen from the same
 * downstream provider. "The same call" is the same record of the provider's own; or the same numbers at the same stated time and, where it was
 * stated, the same Call-ID: calls that only look alike are not the same, as a wrong answer would lead two tracebacks astray. The text holds
 * numbers, so that what is stored is its pseudonym.
 * @returns the text; never throws
 */
export function questionIdentity({ providerId, direction, requester, downstream, call }: ProviderQuestion): string {
  const by = call.recordId !== undefined ? ['record', call.recordId] : ['call', ...callParts(call)];
  const from = downstream?.providerId ?? downstream?.name ?? '';
  return JSON.stringify([providerId, direction, requester.kind, requester.name, from, ...by]);
}

function callParts({ called, calling, at, callId }: RequestedCall): readonly string[] {
  return [called ?? '', calling ?? '', at.local, at.zone ?? '', at.precision, callId ?? ''];
}
