import { talkedOf } from './call-counts.js';
import { callingSignals, neighbourSignal, verdictSignals, veryShortSignal } from './call-signals.js';
import {
  answerRatioSignal,
  concentrationSignal,
  fanOutSignal,
  rowSignal,
  shortShareSignal,
  snowshoeSignal,
} from './group-signals.js';
import type { Findings, Groups, SignalContext } from './signal-findings.js';

/** Goes through all signals. Never throws. */
export function findSignals(context: SignalContext): Findings {
  const found: Findings = { signals: [], notJudged: [] };
  callingSignals(context, found);
  verdictSignals(context, found);
  neighbourSignal(context, found);
  rowSignal(context, found);
  fanOutSignal(context, found);
  // Trunk and signer speak only against calls that do not speak for themselves: no conversation of the number is known.
  const isHeard = context.number !== undefined && talkedOf(context.number) > 0;
  const isConversation = context.facts.seconds >= context.policy.conversationSeconds;
  const groups = isHeard || isConversation ? NO_GROUPS : [context.trunk, context.signer];
  snowshoeSignal(context, groups, found);
  veryShortSignal(context, found);
  shortShareSignal(context, groups, found);
  answerRatioSignal(context, groups, found);
  concentrationSignal(context, groups, found);
  return found;
}

const NO_GROUPS: Groups = [];
