import type { SeenMessage } from '../../network/world/index.js';
import { hopPairs } from '../../oracle/index.js';
import type { SeenHop } from '../../oracle/index.js';
import { isVerdictTrue } from '../figures.js';
import type { SampledCall } from '../run-record.js';
import { callIdOf, readSipText } from '../sip-text.js';

/** A line of a ladder from top to bottom: somebody who sends and receives. */
export interface Lifeline {
  readonly id: string;
  /** `hop` has a verdict; `caller` and `callee` are outside of the providers. */
  readonly kind: 'caller' | 'hop' | 'callee';
}

/** A message between two lines, with both sides of it. */
export interface LadderArrow {
  readonly kind: 'arrow';
  /** Indexes of {@link Ladder.lifelines}. */
  readonly from: number;
  readonly to: number;
  readonly label: string;
  /** When it left and when it came, milliseconds from the first message. Absent where that side is no provider, or did not see it. */
  readonly sentMs?: number;
  readonly receivedMs?: number;
  /** One provider says that it sent the message, and the next one did not see it. */
  readonly isLost: boolean;
  readonly message: SeenMessage;
}

/** What a hop came to, between the message that came and the one that went. */
export interface LadderNote {
  readonly kind: 'note';
  readonly at: number;
  readonly text: string;
  /** Whether it is what is true of this hop. */
  readonly isTrue: boolean;
}

/** The messages of a call, drawn as RFC 3665 draws them. */
export interface Ladder {
  readonly lifelines: readonly Lifeline[];
  readonly rows: readonly (LadderArrow | LadderNote)[];
  /** Messages that belong to none of the hops that were seen. */
  readonly left: number;
}

interface Side {
  readonly message: SeenMessage;
  readonly key: string;
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly order: number;
}

/** Longest ladder; the rest is told by its count. */
const MAX_ROWS = 400;

/** Makes the ladder of a call from the messages of all its providers: what one sent and the next received is one arrow. Never throws. */
export function ladderOf({ truth, seen, messages }: SampledCall): Ladder {
  const all = [...seen.hops, ...silentHops(seen.hops, messages)];
  const lifelines: Lifeline[] = [
    { id: 'caller', kind: 'caller' },
    ...all.map(({ provider }): Lifeline => ({ id: provider, kind: 'hop' })),
    { id: 'callee', kind: 'callee' },
  ];
  const sides = messages.flatMap((message, order) => sideOf(message, order, all));
  const firstMs = messages[0]?.atMs ?? 0;
  const arrows = pairedSides(sides, firstMs, lifelines);
  const notes = new Map<number, LadderNote>();
  const pairs = hopPairs(truth.hops, seen.hops);
  for (const [hop, seenHop] of seen.hops.entries()) {
    const pair = pairs.find((one) => one.seen === seenHop);
    const text = verdictText(seenHop.verstat, seenHop.attestation);
    const isTrue = pair !== undefined && isVerdictTrue(pair);
    const expected = pair === undefined ? 'this provider is not on the way' : pair.truth.verdict.verstat.join(' or ');
    notes.set(hop + 1, { kind: 'note', at: hop + 1, text: isTrue ? text : `${text}, true is ${expected}`, isTrue });
  }
  const rows: (LadderArrow | LadderNote)[] = [];
  for (const arrow of arrows.slice(0, MAX_ROWS)) {
    rows.push(arrow);
    const note = arrow.label === 'INVITE' && arrow.from < arrow.to ? notes.get(arrow.to) : undefined;
    if (note === undefined) continue;
    rows.push(note);
    notes.delete(arrow.to);
  }
  rows.push(...notes.values());
  return { lifelines, rows, left: messages.length - sides.length + Math.max(0, arrows.length - MAX_ROWS) };
}

/** A verdict in words, as a ladder and a table have it. */
export function verdictText(verstat: string | undefined, attestation: string | undefined): string {
  if (verstat === undefined) return 'not asked';
  return attestation === undefined ? verstat : `${verstat} (${attestation})`;
}

type Legs = Pick<SeenHop, 'provider' | 'ingressCallId' | 'egressCallIds'>;

/** Providers that messages of the call came to, and that made no hop of it: it was given up before. */
function silentHops(hops: readonly SeenHop[], messages: readonly SeenMessage[]): readonly Legs[] {
  const silent = new Map<string, Legs>();
  for (const { provider, text } of messages) {
    const leg = callIdOf(text);
    const isHop = hops.some(
      (hop) => hop.provider === provider && (hop.ingressCallId === leg || hop.egressCallIds.includes(leg)),
    );
    if (!isHop && hops.some(({ egressCallIds }) => egressCallIds.includes(leg)))
      silent.set(`${provider}\n${leg}`, { provider, ingressCallId: leg, egressCallIds: [] });
  }
  return [...silent.values()];
}

function sideOf(message: SeenMessage, order: number, hops: readonly Legs[]): readonly Side[] {
  const { callId, cseq, startLine, method, status } = readSipText(message.text);
  const isEgress = (hop: Legs): boolean => hop.egressCallIds.includes(callId);
  const isIngress = (hop: Legs): boolean => hop.ingressCallId === callId;
  const upstream = hops.findIndex(isEgress);
  const downstream = hops.findIndex(isIngress);
  const own = hops.findIndex((hop) => hop.provider === message.provider && (isIngress(hop) || isEgress(hop)));
  if (own < 0) return [];
  const isUpstreamSide = own === upstream && own !== downstream;
  const here = own + 1;
  const there = isUpstreamSide ? (downstream < 0 ? hops.length + 1 : downstream + 1) : upstream < 0 ? 0 : upstream + 1;
  const [from, to] = message.direction === 'out' ? [here, there] : [there, here];
  const cseqMethod = cseq.split(/\s+/)[1] ?? '';
  const reason = startLine.slice('SIP/2.0 '.length).slice(0, 40);
  const label =
    status === undefined ? method.slice(0, 24) : cseqMethod === 'INVITE' ? reason : `${reason} (${cseqMethod})`;
  return [{ message, key: `${callId}\n${startLine}\n${cseq}\n${from}\n${to}`, label, from, to, order }];
}

function pairedSides(sides: readonly Side[], firstMs: number, lifelines: readonly Lifeline[]): readonly LadderArrow[] {
  const received = new Map<string, Side[]>();
  for (const side of sides) {
    if (side.message.direction === 'in') received.set(side.key, [...(received.get(side.key) ?? []), side]);
  }
  const isHop = (line: number): boolean => lifelines[line]?.kind === 'hop';
  const taken = new Set<Side>();
  const arrows: { readonly arrow: LadderArrow; readonly atMs: number; readonly order: number }[] = [];
  const put = (side: Side, times: Pick<LadderArrow, 'sentMs' | 'receivedMs'>, isLost: boolean): void => {
    const { from, to, label, message, order } = side;
    arrows.push({ arrow: { kind: 'arrow', from, to, label, ...times, isLost, message }, atMs: message.atMs, order });
  };
  for (const side of sides) {
    if (side.message.direction === 'in') continue;
    const other = received.get(side.key)?.find((one) => !taken.has(one));
    if (other !== undefined) taken.add(other);
    const sentMs = side.message.atMs - firstMs;
    if (other === undefined) put(side, { sentMs }, isHop(side.to));
    else put(side, { sentMs, receivedMs: other.message.atMs - firstMs }, false);
  }
  for (const side of sides) {
    if (side.message.direction === 'out' || taken.has(side)) continue;
    put(side, { receivedMs: side.message.atMs - firstMs }, false);
  }
  return arrows.toSorted((one, other) => one.atMs - other.atMs || one.order - other.order).map(({ arrow }) => arrow);
}
