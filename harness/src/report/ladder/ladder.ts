import type { NetworkPlan } from '../../network/plan/index.js';
import { externalProviders } from '../../network/plan/index.js';
import type { CallTruth } from '../../network/truth/index.js';
import type { SeenMessage } from '../../network/world/index.js';
import type { SeenHop } from '../../oracle/index.js';
import { hopPairs } from '../../oracle/index.js';
import type { SampledCall } from '../run-record.js';
import { isVerdictTrue } from '../run-record.js';
import { callIdOf, readSipText } from '../sip-text.js';

/** Text of a peer on one line: control characters, by which a terminal or a file could be made to show something else, become spaces. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');
}

/** A line of a ladder from top to bottom: somebody who sends and receives. */
export interface Lifeline {
  readonly id: string;
  /**
   * `hop` is a provider of ours, which sees its messages and has a verdict. `external` is a provider whose switch is somebody else's: only what
   * its neighbours sent to it and received from it is seen. `caller` and `callee` are outside of the providers.
   */
  readonly kind: 'caller' | 'hop' | 'external' | 'callee';
}

/** A message between two lines, with both sides of it. */
export interface LadderArrow {
  readonly kind: 'arrow';
  /** Indexes of {@link Ladder.lifelines}. */
  readonly from: number;
  readonly to: number;
  readonly label: string;
  /** The sender had sent the same octets before. */
  readonly isRetransmission: boolean;
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
  readonly isRetransmission: boolean;
  readonly from: number;
  readonly to: number;
  readonly order: number;
}

/** Longest ladder; the rest is told by its count. */
const MAX_ROWS = 400;

/**
 * Makes the ladder of a call from the messages of all its providers: what one sent and the next received is one arrow. Never throws.
 * @param plan - of the run: it says which providers have somebody else's switch
 */
export function ladderOf({ truth, seen, messages }: SampledCall, plan: Pick<NetworkPlan, 'providers'>): Ladder {
  const all = [...seen.hops, ...silentHops(seen.hops, messages)];
  const lanes = lanesOf(truth, all, externalProviders(plan));
  const { lifelines } = lanes;
  const places = { hops: all, lanes, addresses: addressesOf(messages) };
  const sides = withRetransmissions(messages.flatMap((message, order) => sideOf(message, order, places)));
  const firstMs = messages[0]?.atMs ?? 0;
  const arrows = pairedSides(sides, firstMs, lifelines);
  const notes = new Map<number, LadderNote>();
  const pairs = hopPairs(truth.hops, seen.hops);
  for (const [hop, seenHop] of seen.hops.entries()) {
    const pair = pairs.find((one) => one.seen === seenHop);
    const text = verdictText(seenHop.verstat, seenHop.attestation);
    const isTrue = pair !== undefined && isVerdictTrue(pair);
    const expected =
      pair === undefined ? 'nothing: this provider is not on the path' : pair.truth.verdict.verstat.join(' or ');
    const at = lanes.ofHop[hop] ?? 0;
    notes.set(at, { kind: 'note', at, text: isTrue ? text : `${text}, expected ${expected}`, isTrue });
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

interface Lanes {
  readonly lifelines: readonly Lifeline[];
  /** Index of the line of each hop. */
  readonly ofHop: readonly number[];
  /** Lines of the external systems that a hop has the call from and sends it to, by the index of the hop. */
  readonly before: ReadonlyMap<number, number>;
  readonly after: ReadonlyMap<number, number>;
}

/** The hops as they were seen, and external systems where they are on the true path: before the hop that they send to, else behind the one that sends to them. */
function lanesOf(truth: CallTruth, hops: readonly Legs[], external: ReadonlySet<string>): Lanes {
  const lifelines: Lifeline[] = [{ id: 'caller', kind: 'caller' }];
  const ofHop: number[] = [];
  const before = new Map<number, number>();
  const after = new Map<number, number>();
  for (const [index, { provider }] of hops.entries()) {
    const hop = truth.hops.find((one) => one.provider === provider);
    const from = hop !== undefined && 'provider' in hop.from ? hop.from.provider : undefined;
    const to = hop !== undefined && 'provider' in hop.to ? hop.to.provider : undefined;
    if (from !== undefined && external.has(from)) {
      if (lifelines.at(-1)?.id !== from) lifelines.push({ id: from, kind: 'external' });
      before.set(index, lifelines.length - 1);
    }
    ofHop.push(lifelines.push({ id: provider, kind: 'hop' }) - 1);
    if (to !== undefined && external.has(to)) after.set(index, lifelines.push({ id: to, kind: 'external' }) - 1);
  }
  lifelines.push({ id: 'callee', kind: 'callee' });
  return { lifelines, ofHop, before, after };
}

type Endpoint = SeenMessage['remote'];

const addressText = ({ address, port }: Endpoint): string => `${address} ${port}`;

/** Where each provider takes and sends messages, as far as it was seen. */
function addressesOf(messages: readonly SeenMessage[]): ReadonlyMap<string, string> {
  return new Map(messages.map(({ local, provider }) => [addressText(local), provider]));
}

interface Places {
  readonly hops: readonly Legs[];
  readonly lanes: Lanes;
  readonly addresses: ReadonlyMap<string, string>;
}

/** The line at the other side of a message: an external system, unless the message came from, or went to, a hop of ours past it. */
function farLine(
  message: SeenMessage,
  {
    hop,
    outside,
    beyond,
  }: {
    readonly hop: number;
    readonly outside: number | undefined;
    readonly beyond: number;
  },
  { hops, lanes, addresses }: Places,
): number {
  const direct = hop < 0 ? beyond : (lanes.ofHop[hop] ?? beyond);
  if (outside === undefined) return direct;
  const isDirect = hop >= 0 && addresses.get(addressText(message.remote)) === hops[hop]?.provider;
  return isDirect ? direct : outside;
}

/** Says again what was sent again: byte for byte the same, by the same provider in the same direction. */
function withRetransmissions(sides: readonly Side[]): readonly Side[] {
  const sent = new Set<string>();
  return sides.map((side) => {
    const { provider, direction, text, remote } = side.message;
    const key = [provider, direction, addressText(remote), text].join('\n');
    if (sent.has(key)) return { ...side, isRetransmission: true, label: `${side.label} (resent)` };
    sent.add(key);
    return side;
  });
}

function sideOf(message: SeenMessage, order: number, places: Places): readonly Side[] {
  const { hops, lanes } = places;
  const { callId, cseq, startLine, method, status } = readSipText(message.text);
  const isEgress = (hop: Legs): boolean => hop.egressCallIds.includes(callId);
  const isIngress = (hop: Legs): boolean => hop.ingressCallId === callId;
  const upstream = hops.findIndex(isEgress);
  const downstream = hops.findIndex(isIngress);
  const own = hops.findIndex((hop) => hop.provider === message.provider && (isIngress(hop) || isEgress(hop)));
  if (own < 0) return [];
  const isUpstreamSide = own === upstream && own !== downstream;
  const here = lanes.ofHop[own] ?? 0;
  const far = isUpstreamSide
    ? { hop: downstream, outside: lanes.after.get(own), beyond: lanes.lifelines.length - 1 }
    : { hop: upstream, outside: lanes.before.get(own), beyond: 0 };
  const there = farLine(message, far, places);
  const [from, to] = message.direction === 'out' ? [here, there] : [there, here];
  const cseqMethod = cseq.split(/\s+/)[1] ?? '';
  const reason = startLine.slice('SIP/2.0 '.length).slice(0, 40);
  const label =
    status === undefined ? method.slice(0, 24) : cseqMethod === 'INVITE' ? reason : `${reason} (${cseqMethod})`;
  const key = `${callId}\n${startLine}\n${cseq}\n${from}\n${to}`;
  return [
    {
      message,
      key,
      label,
      isRetransmission: false,
      from,
      to,
      order,
    },
  ];
}

function pairedSides(sides: readonly Side[], firstMs: number, lifelines: readonly Lifeline[]): readonly LadderArrow[] {
  const received = new Map<string, Side[]>();
  for (const side of sides) {
    if (side.message.direction === 'in') received.set(side.key, [...(received.get(side.key) ?? []), side]);
  }
  const isHop = (line: number): boolean => lifelines[line]?.kind === 'hop';
  const taken = new Set<Side>();
  const arrows: {
    readonly arrow: LadderArrow;
    readonly atMs: number;
    readonly order: number;
  }[] = [];
  const put = (side: Side, times: Pick<LadderArrow, 'sentMs' | 'receivedMs'>, isLost: boolean): void => {
    const { from, to, label, isRetransmission, message, order } = side;
    const arrow: LadderArrow = {
      kind: 'arrow',
      from,
      to,
      label,
      isRetransmission,
      ...times,
      isLost,
      message,
    };
    arrows.push({ arrow, atMs: message.atMs, order });
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

/** Columns between two lines. */
const WIDTH = 26;
/** Columns of the times at the left. */
const TIMES = 18;

/** A ladder in plain text, for terminals, tickets and mails. */
export function ladderText(title: string, ladder: Ladder): string {
  const { lifelines, rows, left } = ladder;
  const columns = lifelines.map((_, index) => TIMES + index * WIDTH + 6);
  const bars = (): string[] => {
    const line = Array.from({ length: (columns.at(-1) ?? 0) + 1 }, () => ' ');
    for (const column of columns) line[column] = '|';
    return line;
  };
  const lines = [oneLine(title), '', heads(ladder, columns), bars().join('')];
  for (const row of rows) {
    const line = bars();
    if (row.kind === 'note') {
      lines.push(`${line.join('').slice(0, columns[row.at])}${row.isTrue ? '= ' : '! '}${oneLine(row.text)}`);
      continue;
    }
    put(line, timesText(row), 0);
    drawArrow(line, row, columns);
    lines.push(line.join('').trimEnd());
  }
  if (left > 0) lines.push('', `${left} more messages are not shown.`);
  return `${lines.join('\n')}\n`;
}

/** When a message left and came: `12.0>12.4 ms`. */
function timesText({ sentMs, receivedMs }: LadderArrow): string {
  const shown = (ms: number | undefined): string => (ms === undefined ? '' : String(Math.round(ms * 10) / 10));
  return `${shown(sentMs)}>${shown(receivedMs)} ms`;
}

function heads({ lifelines }: Ladder, columns: readonly number[]): string {
  const line: string[] = [];
  for (const [index, { id }] of lifelines.entries()) {
    const name = oneLine(id).slice(0, WIDTH - 2);
    put(line, name, Math.max(0, (columns[index] ?? 0) - Math.floor(name.length / 2)));
  }
  return line.join('');
}

function drawArrow(line: string[], row: LadderArrow, columns: readonly number[]): void {
  const [left, right] = [Math.min(row.from, row.to), Math.max(row.from, row.to)].map((index) => columns[index] ?? 0);
  if (left === undefined || right === undefined || left === right) return;
  for (let column = left + 1; column < right; column += 1) line[column] = '-';
  if (row.isLost) line[row.from < row.to ? right - 1 : left + 1] = 'x';
  else line[row.from < row.to ? right - 1 : left + 1] = row.from < row.to ? '>' : '<';
  const label = ` ${oneLine(row.label)} `.slice(0, right - left - 4);
  put(line, label, left + Math.max(2, Math.floor((right - left - label.length) / 2)));
}

function put(line: string[], text: string, at: number): void {
  while (line.length < at) line.push(' ');
  for (const [offset, character] of Array.from(text).entries()) line[at + offset] = character;
}

/** A ladder as a sequence diagram of Mermaid, for wikis and tickets that draw it. */
export function ladderMermaid(title: string, { lifelines, rows }: Ladder): string {
  const lines = ['sequenceDiagram', `  %% ${safe(title)}`];
  for (const [index, { id, kind }] of lifelines.entries()) {
    lines.push(`  ${kind === 'hop' || kind === 'external' ? 'participant' : 'actor'} L${index} as ${safe(id)}`);
  }
  for (const row of rows) {
    if (row.kind === 'note') lines.push(`  Note over L${row.at}: ${row.isTrue ? '' : '≠ '}${safe(row.text)}`);
    else {
      const arrow = row.isLost ? '-x' : '->>';
      lines.push(`  L${row.from}${arrow}L${row.to}: ${safe(row.label)} (${safe(timesText(row))})`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Nothing in peer text may end a statement, begin a directive or become markup: what is not plain is an entity by its number. */
function safe(text: string): string {
  return Array.from(text.replaceAll(/\s+/g, ' '))
    .map((character) => (/[\p{L}\p{N} .,()/@+_≠>-]/u.test(character) ? character : `#${character.codePointAt(0)};`))
    .join('')
    .replaceAll('>', '→');
}
