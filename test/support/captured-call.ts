import { writeSip } from './drachtio-sip-text.js';
import { hepPacket, type HepEnd } from './hep-packets.js';

/** Who takes part in captured calls: a peer in front of the switch, the switch, and two behind it. */
export const ENDS = {
  upstream: { address: '192.0.2.10', port: 5060 },
  switchIn: { address: '198.51.100.1', port: 5060 },
  switchOut: { address: '198.51.100.1', port: 5080 },
  first: { address: '203.0.113.20', port: 5060 },
  second: { address: '203.0.113.30', port: 5060 },
} as const satisfies Record<string, HepEnd>;

/** When the calls begin, microseconds since the epoch. */
export const CALL_US = 1_795_615_200_000_000;

/** A message of a call. */
export interface CapturedMessage {
  readonly from: HepEnd;
  readonly to: HepEnd;
  /** `INVITE`, `ACK`, `BYE`, `CANCEL`, or `486 INVITE` for a response. */
  readonly what: string;
  /** Milliseconds behind {@link CALL_US}. */
  readonly atMs: number;
  /** Branches of the Vias, the top one first. */
  readonly via: readonly string[];
  readonly callId?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly cseq?: number;
  readonly calling?: string;
  readonly called?: string;
  readonly requestUri?: string;
  /** Further header lines. */
  readonly headers?: readonly string[];
  readonly correlationId?: string;
}

/** The message as SIP. */
export function sipText(message: CapturedMessage): string {
  const { what, via, callId = 'call-1@192.0.2.10', fromTag = 'caller', toTag, cseq = 1, headers = [] } = message;
  const { calling = '+12025550101', called = '12025550123' } = message;
  const [status, responseTo] = /^\d{3} /.test(what) ? what.split(' ') : [undefined, undefined];
  const method = responseTo ?? what;
  const uri = message.requestUri ?? `sip:${called}@${message.to.address}`;
  return writeSip(status === undefined ? `${method} ${uri} SIP/2.0` : `SIP/2.0 ${status} Said`, [
    ...via.map((branch) => `Via: SIP/2.0/UDP 192.0.2.99:5060;branch=${branch}`),
    `From: "Caller" <sip:${calling}@${ENDS.upstream.address}>;tag=${fromTag}`,
    `To: <sip:${called}@example.net>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    ...headers,
  ]);
}

/** The message as an agent sends it. */
export function captured(message: CapturedMessage): Buffer {
  const { from, to, atMs, correlationId } = message;
  return hepPacket({
    ...{ source: from, destination: to, atUs: CALL_US + atMs * 1_000, payload: sipText(message) },
    ...(correlationId === undefined ? {} : { correlationId }),
  });
}

/** Branch of the Via towards the other side, and who is there. */
type Onward = { readonly branch: string; readonly behind?: HepEnd };

/** Both hops of a proxy for one message that goes from the caller on: in, and out with one more Via. */
export function through(
  message: Omit<CapturedMessage, 'from' | 'to' | 'via'>,
  { branch, behind = ENDS.first }: Onward,
): readonly CapturedMessage[] {
  return [
    { ...message, from: ENDS.upstream, to: ENDS.switchIn, via: ['z9hG4bKin'] },
    { ...message, from: ENDS.switchOut, to: behind, atMs: message.atMs + 1, via: [branch, 'z9hG4bKin'] },
  ];
}

/** Both hops for a response: from behind to the switch, and from there back. */
export function back(message: Omit<CapturedMessage, 'from' | 'to' | 'via'>, { branch, behind = ENDS.first }: Onward) {
  return [
    { ...message, from: behind, to: ENDS.switchOut, via: [branch, 'z9hG4bKin'] },
    { ...message, from: ENDS.switchIn, to: ENDS.upstream, atMs: message.atMs + 1, via: ['z9hG4bKin'] },
  ];
}

/** A call that a proxy forwards, is answered after two seconds, and that the caller ends after ten. */
export function answeredCall(): readonly CapturedMessage[] {
  const out = { branch: 'z9hG4bKout' };
  const dialog = { toTag: 'callee' };
  const inDialog = (what: string, atMs: number, cseq: number): readonly CapturedMessage[] => [
    { ...dialog, what, atMs, cseq, from: ENDS.upstream, to: ENDS.switchIn, via: [`z9hG4bK${what}`] },
    {
      ...{ ...dialog, what, atMs: atMs + 1, cseq, from: ENDS.switchOut, to: ENDS.first },
      via: [`z9hG4bK${what}o`, `z9hG4bK${what}`],
    },
  ];
  return [
    ...through({ what: 'INVITE', atMs: 0 }, out),
    ...back({ ...dialog, what: '180 INVITE', atMs: 500 }, out),
    ...back({ ...dialog, what: '200 INVITE', atMs: 2_000 }, out),
    ...inDialog('ACK', 2_100, 1),
    ...inDialog('BYE', 10_000, 2),
  ];
}
