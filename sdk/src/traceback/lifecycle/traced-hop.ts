import type { Draft } from '../../core/draft.js';
import type { HopRequest } from './hop-request.js';
import { roleOf } from './hop-standing.js';
import { runHop } from './hop-machine.js';
import type { HopHappening, HopState, HopStep } from './hop-machine.js';
import type { KnownFacts } from './known-facts.js';
import { saysTheSame, statementFault } from './statement.js';
import type { StatementFault } from './statement.js';
import type { NotAskableReason } from './traceback-event.js';
import type { HopRole } from './traceback-outcome.js';
import type { StatementFact } from './traceback-state.js';

/** A hop as it stands. */
export interface TracedHop extends HopRequest {
  readonly state: HopState;
  /** How it came to that. */
  readonly history: readonly HopStep[];
  /** All answers, the first revision first. */
  readonly statements: readonly StatementFact[];
  /** The answer that counts: the last revision. Undefined where there is none, or two of that revision contradict each other. */
  readonly current?: StatementFact;
  /** Whether the last revision exists twice, and says different things. */
  readonly contradictsItself: boolean;
  readonly sentAtMs?: number;
  /** Why it cannot be asked, where that is its state. */
  readonly notAskable?: NotAskableReason;
  /** Milliseconds since the epoch. */
  readonly dueAtMs?: number;
  readonly nonResponsiveAtMs?: number;
  /** Whether it answered after its deadline. */
  readonly isLate: boolean;
  /** Whether the traceback leads over this hop now. */
  readonly isOnPath: boolean;
  /** What it is in the course of the call. */
  readonly role: HopRole;
}

/** How a hop stands by what is known of it. `withdrawnAtMs`: since when the traceback does not lead here any more. */
export function tracedHop(
  request: HopRequest,
  facts: KnownFacts,
  { isOnPath, withdrawnAtMs }: { readonly isOnPath: boolean; readonly withdrawnAtMs: number | undefined },
): TracedHop {
  const { requestId } = request;
  const statements = validStatements(request, facts);
  const last = statements.at(-1);
  const contradictsItself =
    last !== undefined &&
    statements.length > 1 &&
    statements.some((other) => other.revision === last.revision && !saysTheSame(other, last));
  const sent = facts.sent.get(requestId);
  const notAskable = facts.notAskable.get(requestId);
  const nonResponsiveAtMs =
    sent === undefined ? undefined : Math.max(sent.dueAtMs, sent.atMs) + facts.state.rules.nonResponsiveAfterDueMs;
  const happened = happenings(request, facts);
  addAnswers(happened, statements);
  if (withdrawnAtMs !== undefined) happened.push({ event: 'withdrawn', atMs: withdrawnAtMs });
  const { state, history } = runHop(happened);
  const isLate = sent !== undefined && statements.length > 0 && firstTime(statements) > sent.dueAtMs;
  // One after the other: to spread a request, and members that may be absent, takes longer than all else here.
  const hop: Draft<TracedHop> = {
    requestId,
    hop: request.hop,
    namedBy: request.namedBy,
    state,
    history,
    statements,
    contradictsItself,
    isLate,
    isOnPath,
    role: 'open',
  };
  if (request.provider !== undefined) hop.provider = request.provider;
  if (request.contact !== undefined) hop.contact = request.contact;
  if (request.downstream !== undefined) hop.downstream = request.downstream;
  if (request.fromRequestId !== undefined) hop.fromRequestId = request.fromRequestId;
  if (request.basedOn !== undefined) hop.basedOn = request.basedOn;
  if (last !== undefined && !contradictsItself) hop.current = last;
  if (state === 'not-askable' && notAskable !== undefined) hop.notAskable = notAskable.reason;
  if (sent !== undefined && nonResponsiveAtMs !== undefined) {
    hop.sentAtMs = sent.atMs;
    hop.dueAtMs = sent.dueAtMs;
    hop.nonResponsiveAtMs = nonResponsiveAtMs;
  }
  hop.role = roleOf(hop);
  return hop;
}

/** Answers that are none to the request that they name, and why. */
export function faultyStatements(
  request: HopRequest,
  facts: KnownFacts,
): readonly { readonly statement: StatementFact; readonly fault: StatementFault }[] {
  return (facts.statements.get(request.requestId) ?? []).flatMap((statement) => {
    const fault = statementFault(statement, askedIn(request, facts));
    return fault === undefined ? [] : [{ statement, fault }];
  });
}

function validStatements(request: HopRequest, facts: KnownFacts): readonly StatementFact[] {
  const known = facts.statements.get(request.requestId);
  if (known === undefined) return NO_STATEMENTS;
  const asked = askedIn(request, facts);
  return known.filter((statement) => statementFault(statement, asked) === undefined);
}

function askedIn({ provider, downstream }: HopRequest, { state }: KnownFacts): Parameters<typeof statementFault>[1] {
  return { direction: state.direction, provider, downstream };
}

const NO_STATEMENTS: readonly StatementFact[] = [];

function happenings({ requestId }: HopRequest, facts: KnownFacts): HopHappening[] {
  const list: HopHappening[] = [];
  const notAskable = facts.notAskable.get(requestId);
  if (notAskable !== undefined) list.push({ event: 'not-askable', atMs: notAskable.atMs });
  const acknowledged = facts.acknowledged.get(requestId);
  if (acknowledged !== undefined) list.push({ event: 'acknowledged', atMs: acknowledged.atMs });
  const sent = facts.sent.get(requestId);
  if (sent === undefined) return list;
  list.push({ event: 'sent', atMs: sent.atMs });
  const { nowMs } = facts;
  const { rules } = facts.state;
  // A deadline passes with the first moment after it. One that was stated may lie before the request.
  const dueAtMs = Math.max(sent.dueAtMs, sent.atMs);
  if (nowMs > dueAtMs) list.push({ event: 'due-passed', atMs: dueAtMs });
  const graceMs = dueAtMs + rules.nonResponsiveAfterDueMs;
  if (nowMs > graceMs) list.push({ event: 'grace-passed', atMs: graceMs });
  return list;
}

function addAnswers(happened: HopHappening[], statements: readonly StatementFact[]): void {
  const inTime = statements.length < 2 ? statements : statements.toSorted((one, other) => one.atMs - other.atMs);
  for (const [index, { atMs }] of inTime.entries())
    happened.push({ event: index === 0 ? 'answered' : 'amended', atMs });
}

function firstTime(statements: readonly StatementFact[]): number {
  return Math.min(...statements.map(({ atMs }) => atMs));
}
