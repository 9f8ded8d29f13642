import type {
  Decided,
  FindingArm,
  Notify,
  ReviewDecision,
  ReviewView,
  TracebackRequest,
  TracebackResponder,
} from '@hopback/sdk/traceback';
import type { TimerClock } from '@hopback/sdk/platform';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';

/** What whoever sits at the desk of a provider goes by: its own books, no more. */
export interface DeskBooks {
  readonly provider: PlannedProvider;
  readonly providers: readonly PlannedProvider[];
  readonly calls: NetworkPlan['calls'];
  /** Index of the call that a record is of; undefined for one of another time. */
  readonly indexOf: (recordId: string) => number | undefined;
}

/** What a person decides, but for who and when. */
type Decision = Pick<ReviewDecision, 'arm' | 'candidate' | 'provider' | 'contact' | 'reason'>;

const NO_RECORDS = 'No records of that time were written.';
const BY = 'Traceback desk';

/**
 * Whoever sits at the desk of a provider: decides at once what the responder leaves to a person, by the records that are shown and by what a provider
 * knows of its own calls.
 * @param responderOf - the responder, once it is open
 * @param onTrouble - told of a decision that was not taken
 */
export function createDesk(
  books: DeskBooks,
  {
    responderOf,
    clock,
    onTrouble,
  }: {
    readonly responderOf: () => TracebackResponder | undefined;
    readonly clock: TimerClock;
    readonly onTrouble: (what: string) => void;
  },
): Notify {
  return async (event) => {
    if (event.kind !== 'review-wanted') return;
    const responder = responderOf();
    // Before the responder is there it is told again later.
    if (responder === undefined) throw new TypeError('the desk is not open yet');
    const { requestId } = event;
    const request = responder.entry(requestId)?.request;
    const view = responder.review(requestId, { showNumbers: true });
    if (request === undefined || view === undefined) return;
    const decision: ReviewDecision = {
      ...{ format: 'hopback.review-decision.1', decisionId: `${requestId}.desk`, requestId, by: BY },
      ...{ decidedAt: new Date(clock.nowMs()).toISOString(), ...decided(view, request, books) },
    };
    const outcome = await decideDespite(responder, decision);
    if (outcome.status !== 'refused') return;
    const problems = outcome.problems.map(({ about, text }) => `${about}: ${text}`).join('; ');
    onTrouble(`the desk said ${decision.arm} of ${view.tracebackId}, which was not taken: ${problems}`);
  };
}

/** Hands a decision in, and once more with what has to be confirmed. */
async function decideDespite(responder: TracebackResponder, decision: ReviewDecision): Promise<Decided> {
  const first = await responder.decide(decision);
  if (first.status !== 'refused' || !first.problems.every(({ isConfirmable }) => isConfirmable === true)) return first;
  return responder.decide({ ...decision, despite: first.problems.map(({ about }) => about) });
}

/** What is decided about a request: which of the calls that were found is meant, and whom it came from; or why that cannot be said. */
export function decided(view: ReviewView, request: TracebackRequest, books: DeskBooks): Decision {
  const allowed = new Set(view.actions.flatMap(({ arms }) => arms.map(({ arm }) => arm)));
  const meant = callMeant(view, request, books);
  if (meant === 'several') return { arm: 'ambiguous' };
  if (meant === undefined) return withoutCall(allowed);
  const { candidate, call, arm } = meant;
  const downstream = request.downstream?.providerId;
  const hops = call.way.flatMap((id, hop) => (id === books.provider.id ? [hop] : []));
  const idOf = (providerId: string): string | undefined =>
    books.providers.find((one) => one.providerId === providerId)?.id;
  const hop =
    downstream === undefined ? hops.at(-1) : hops.find((one) => call.way[one + 1] === (idOf(downstream) ?? ''));
  if (hop === undefined) return { arm: 'not-sent-to-downstream', candidate };
  // What the record says is said, right or wrong; where the trunk says nothing a person knows its neighbours.
  return arm === undefined ? { ...cameFrom(call, hop, books), candidate } : { arm, candidate };
}

/** Whom a call came from at a hop of its way. */
function cameFrom({ way }: PlannedCall, hop: number, { provider, providers }: DeskBooks): Decision {
  const before = hop === 0 ? undefined : providers.find(({ id }) => id === way[hop - 1]);
  if (before === undefined) return { arm: 'origin' };
  const { name, country, providerId, id } = before;
  if (provider.country === HOME && country !== HOME)
    return { arm: 'point-of-entry', contact: { name, country, email: `tracebacks@${id}.example` } };
  return { arm: 'received-from', provider: { name, providerId } };
}

const HOME = 'US';

/** Which arms are left where no call is the one that is meant. */
function withoutCall(allowed: ReadonlySet<FindingArm>): Decision {
  const arm = (['not-retained', 'not-found'] as const).find((one) => allowed.has(one));
  return arm === undefined ? { arm: 'refused', reason: NO_RECORDS } : { arm };
}

/** Two calls with the same numbers that are as near to what was stated as this cannot be told apart, milliseconds. */
const APART_MS = 1_000;

interface Candidate {
  readonly candidate: string;
  /** What would be answered by its record; absent where that does not say whom it came from. */
  readonly arm?: FindingArm;
  readonly call: PlannedCall;
  readonly apartMs: number;
}

/**
 * The call that a request is about, of those that the responder has found: it went to the number that was stated, and of several it is the one that
 * came nearest to the time.
 */
function callMeant(
  { candidates }: ReviewView,
  { call: stated }: TracebackRequest,
  { calls, providers, indexOf }: DeskBooks,
): Candidate | 'several' | undefined {
  const atMs = Date.parse(`${stated.at.local}${offsetOf(stated.at.zone)}`);
  const all = candidates.flatMap(({ candidate, startedAt, finding }): readonly Candidate[] => {
    const call = calls[indexOf(candidate) ?? -1];
    return call === undefined
      ? []
      : [
          {
            ...{ candidate, call, apartMs: Math.abs(Date.parse(startedAt) - atMs) },
            ...(finding !== undefined && { arm: finding.arm }),
          },
        ];
  });
  const fitting = all
    .filter(
      ({ call }) => isStated(stated.called, numbersOf(call)) && isStated(stated.calling, callersOf(call, providers)),
    )
    .toSorted((one, other) => one.apartMs - other.apartMs);
  const [first] = fitting;
  const second = fitting.find(({ call }) => call.index !== first?.call.index);
  if (first === undefined) return undefined;
  return second !== undefined && second.apartMs - first.apartMs < APART_MS ? 'several' : first;
}

/** Digits that a call was for, on its way. */
const numbersOf = ({ called, diversions = [] }: PlannedCall): readonly string[] => [
  called,
  ...diversions.map(({ to }) => to),
];

/** Digits that a call showed as its caller on its way. */
const callersOf = ({ calling, way }: PlannedCall, providers: readonly PlannedProvider[]): readonly string[] => [
  calling,
  ...providers
    .filter(({ id }) => way.includes(id))
    .flatMap(({ behaviours }) => behaviours)
    .flatMap((one) => (one.kind === 'rewrites-numbers' && one.how === 'calling' ? (one.value ?? []) : [])),
];

/** Whether a number was stated that is one of those; one that was not stated may be any. */
function isStated(stated: string | undefined, numbers: readonly string[]): boolean {
  const digits = stated?.replace(/\D/g, '');
  return digits === undefined || numbers.some((one) => one.slice(-NATIONAL) === digits.slice(-NATIONAL));
}

/** Digits of a number without its country. */
const NATIONAL = 10;

const offsetOf = (zone: string | undefined): string =>
  zone !== undefined && /^[+-]\d\d:\d\d$/.test(zone) ? zone : 'Z';
