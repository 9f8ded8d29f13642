import { stepTraceback } from '@hopback/sdk/traceback';
import type { TracebackEvent, TracebackState, TracebackStep } from '@hopback/sdk/traceback';

/** Steps by their event, for as long as somebody holds it, and the state that they were taken from. */
const foreseen = new WeakMap<TracebackEvent, { readonly from: TracebackState; readonly step: TracebackStep }>();

/**
 * What an event makes of a state: a request says by when it has to be answered, which follows from the step that sending it is. Neither is ever
 * changed, so that the step is the same when it is taken.
 */
export function foreseenStep(state: TracebackState, event: TracebackEvent): TracebackStep {
  const known = foreseen.get(event);
  if (known?.from === state) return known.step;
  const step = stepTraceback(state, event);
  foreseen.set(event, { from: state, step });
  return step;
}
