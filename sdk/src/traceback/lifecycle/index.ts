export type { OutcomeText, TracebackDispute, TracebackOutcome } from './traceback-outcome.js';
export type { HopRole, OutcomeKind } from './traced-hop.js';
export type { EventFault, StatementFault } from './statement.js';
export { HOP_TRANSITIONS } from './hop-machine.js';
export type { HopEvent, HopState, HopStep, HopTransition } from './hop-machine.js';
export type { HopRequest, TracedHop } from './traced-hop.js';
export { MAX_FACTS, MAX_HOPS, MAX_REMINDERS, MAX_STATEMENTS, lifecycleRules } from './traceback-state.js';
export type {
  DisputeRuling,
  FactKind,
  FactOf,
  IdentifiedFact,
  LifecycleRules,
  NotAskableReason,
  ReportFact,
  RequestOccurrence,
  SentFact,
  StatementFact,
  TracebackEvent,
  TracebackEventType,
  TracebackFact,
  TracebackOccurrence,
  TracebackState,
} from './traceback-state.js';
export { pendingEffects, viewTraceback } from './traceback-view.js';
export type {
  EffectOnRequest,
  EscalationReason,
  HopView,
  IdentifiedEffect,
  TracebackEffect,
  TracebackEffectType,
  TracebackStatus,
  TracebackView,
} from './traceback-view.js';
export { readTracebackState } from './read-traceback-state.js';
export type { StateReading } from './read-traceback-state.js';
export { startTraceback, stepTraceback } from './step-traceback.js';
export type { EventRefusal, TracebackStart, TracebackStep, TracebackTransition } from './step-traceback.js';
export { OUTCOMES } from './traceback-outcome.js';
