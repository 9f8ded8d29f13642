import type { NetworkPlan, PlannedCall } from '../../harness/src/network/plan/index.js';
import type { SeenTraceback } from '../../harness/src/oracle/index.js';
import { seededDice } from '../../sdk/src/testing/platform/platform-faults.js';
import { smallPlan } from '../support/planned-network.js';
import { drawCall } from './platform-carriers.js';
import type { CarrierGraph } from './platform-carriers.js';

/** A network of which the largest part answers and shares its records, and the others do neither. */
export function partlyAnswering(
  graph: CarrierGraph,
  { percent, calls }: { readonly percent: number; readonly calls: number },
): NetworkPlan {
  const answering = new Set(graph.bySize.slice(0, Math.round((graph.bySize.length * percent) / 100)));
  const dice = seededDice(11);
  const ways = Array.from({ length: calls }, () => drawCall(graph, dice).toReversed());
  const onAWay = [...new Set(ways.flat())];
  return smallPlan({
    providers: onAWay.map((carrier) => ({
      id: `c${carrier}`,
      role: 'transit',
      answersTracebacks: answering.has(carrier),
      shares: answering.has(carrier) ? 'all' : 'nothing',
    })),
    calls: ways.map((way, index) => ({
      way: way.map((carrier) => `c${carrier}`).join(' '),
      calling: String(12_025_000_000 + index),
      called: String(13_125_000_000 + index),
    })),
  });
}

/** Whether a record that somebody shares names the provider that a call began with: its own, or that of the next. */
export function isOriginOnRecord({ providers }: NetworkPlan, { way }: PlannedCall): boolean {
  const [first, second] = way.map((id) => providers.find((one) => one.id === id)?.answersTracebacks === true);
  return first === true || second === true;
}

/** Whether the one traceback that begins at the terminating provider comes as far as to the provider that the call began with. */
export function isOriginReached({ calls }: NetworkPlan, { callIndex, outcome, answers }: SeenTraceback): boolean {
  const origin = calls[callIndex]?.way[0];
  return outcome?.provider === origin || answers.some(({ named }) => named === origin);
}
