import type { Draft } from '../../core/draft.js';
import type { HopRequest } from './hop-request.js';
import { runHop } from './hop-machine.js';
import type { HopHappening, HopState, HopStep } from './hop-machine.js';
import type { KnownFacts } from './known-facts.js';
import { ARM_MEANINGS, saysTheSame, statementFault } from './statement.js';
import type { StatementFault } from './statement.js';
import type { NotAskableReason } from './traceback-event.js';
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
}

/** Whether an answer is still to come. */
export function isOpen(hop: TracedHop): boolean {
  return OPEN.includes(hop.state);
}

const OPEN: readonly HopState[] = ['planned', 'asked', 'acknowledged', 'overdue'];

/** Whether the provider says that the call was none of its own, although somebody named it or it shared a record of the call itself. */
export function denies(hop: TracedHop): boolean {
  return hop.basedOn !== undefined && hop.current !== undefined && ARM_MEANINGS[hop.current.arm].denies;
}

/** Whether the provider has said where the call came from, or nobody can expect that it will in time. */
export function isSilent(hop: TracedHop): boolean {
  if (hop.contradictsItself) return true;
  if (hop.current !== undefined) return ARM_MEANINGS[hop.current.arm].silent;
  return SILENT.includes(hop.state) && hop.notAskable !== 'foreign';
}

const SILENT: readonly HopState[] = ['overdue', 'non-responsive', 'not-askable'];

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
  const { state, history } = runHop([
    ...happenings(request, facts),
    ...answers(statements),
    ...(withdrawnAtMs === undefined ? [] : [{ event: 'withdrawn' as const, atMs: withdrawnAtMs }]),
  ]);
  const isLate = sent !== undefined && statements.length > 0 && firstTime(statements) > sent.dueAtMs;
  // One after the other: to spread four members that may be absent takes longer than all else here.
  const hop: Draft<TracedHop> = {
    ...request,
    state,
    history,
    statements,
    contradictsItself,
    isLate,
    isOnPath,
  };
  if (last !== undefined && !contradictsItself) hop.current = last;
  if (state === 'not-askable' && notAskable !== undefined) hop.notAskable = notAskable.reason;
  if (sent !== undefined && nonResponsiveAtMs !== undefined) {
    hop.sentAtMs = sent.atMs;
    hop.dueAtMs = sent.dueAtMs;
    hop.nonResponsiveAtMs = nonResponsiveAtMs;
  }
  return hop;
}

/** Answers that are none to the request that they name, and why. */
export function faultyStatements(
  request: HopRequest,
  facts: KnownFacts,
): readonly { readonly statement: StatementFact; readonly fault: StatementFault }[] {
  return (facts.statements.get(request.requestId) ?? []).flatMap((statement) => {
    const fault = statementFault(statement, { direction: facts.state.direction, ...request });
    return fault === undefined ? [] : [{ statement, fault }];
  });
}

function validStatements(request: HopRequest, facts: KnownFacts): readonly StatementFact[] {
  const known = facts.statements.get(request.requestId);
  if (known === undefined) return NO_STATEMENTS;
  const asked = { direction: facts.state.direction, ...request };
  return known.filter((statement) => statementFault(statement, asked) === undefined);
}

const NO_STATEMENTS: readonly StatementFact[] = [];

function happenings({ requestId }: HopRequest, facts: KnownFacts): readonly HopHappening[] {
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

function answers(statements: readonly StatementFact[]): readonly HopHappening[] {
  return [...statements]
    .sort((one, other) => one.atMs - other.atMs)
    .map(({ atMs }, index) => ({ event: index === 0 ? 'answered' : 'amended', atMs }));
}

function firstTime(statements: readonly StatementFact[]): number {
  return Math.min(...statements.map(({ atMs }) => atMs));
}
