export type { TracebackDispute } from './disputes.js';
export type { EventFault } from './event-fact.js';
export { HOP_TRANSITIONS } from './hop-machine.js';
export type { HopEvent, HopState, HopStep, HopTransition } from './hop-machine.js';
export type { HopRequest } from './hop-request.js';
export { lifecycleRules, MAX_HOPS, MAX_REMINDERS } from './lifecycle-rules.js';
export type { LifecycleRules } from './lifecycle-rules.js';
export { pendingEffects } from './pending-effects.js';
export { readTracebackState } from './read-traceback-state.js';
export type { StateReading } from './read-traceback-state.js';
export type { StatementFault } from './statement.js';
export { startTraceback, stepTraceback } from './step-traceback.js';
export type { EventRefusal, TracebackStart, TracebackStep, TracebackTransition } from './step-traceback.js';
export type {
  EffectOnRequest,
  EscalationReason,
  IdentifiedEffect,
  TracebackEffect,
  TracebackEffectType,
} from './traceback-effect.js';
export type {
  DisputeRuling,
  NotAskableReason,
  RequestOccurrence,
  TracebackEvent,
  TracebackEventType,
  TracebackOccurrence,
} from './traceback-event.js';
export { OUTCOMES } from './traceback-outcome.js';
export type { HopRole, OutcomeKind, OutcomeText, TracebackOutcome } from './traceback-outcome.js';
export { MAX_FACTS, MAX_STATEMENTS } from './traceback-state.js';
export type {
  FactKind,
  FactOf,
  IdentifiedFact,
  ReportFact,
  SentFact,
  StatementFact,
  TracebackFact,
  TracebackState,
} from './traceback-state.js';
export { viewTraceback } from './traceback-view.js';
export type { HopView, TracebackStatus, TracebackView } from './traceback-view.js';
export type { TracedHop } from './traced-hop.js';
