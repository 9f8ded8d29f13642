import { hash, timingSafeEqual } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import type { Disposition, OwnSigning, ReceivedVerification, Release, TimeBasis } from '../../contract/call-record.js';
import { passingMap } from '../../core/memo.js';
import type { PassingMap } from '../../core/memo.js';
import { HopbackError } from '../../errors.js';
import { joinedSha256, sourceSha256 } from '../record-id.js';
import { HEP_SIP, parseHepPacket } from './hep-packet.js';
import type { HepEndpoint, HepPacket } from './hep-packet.js';
import {
  blockedByStatus,
  dispositionOfStatus,
  joinedLegReading,
  legSource,
  rejectedRow,
  shakenClaims,
  skippedRow,
} from './formats/leg.js';
import type { LegParts, LegSource } from './formats/leg.js';
import { rawKeeper, rawPacketsOf, writtenCaller } from './record-reader.js';
import type { RawKeeper, RecordReader, RowReading, SourceDescription, SourceNumbers } from './record-reader.js';
import { addToSipCall, beginSipCall, branchesOfCall, isSipCallOver, legsOfSipCall, readSipFacts } from './sip-call.js';
import type { InviteTransaction, SipCall, SipFacts, SipLeg, SipSide } from './sip-call.js';

/** Times are those of who captured the packets. */
const OBSERVED: TimeBasis = Object.freeze({ written: 'observed', resolutionUs: 1 });

/**
 * The parts of all records of a call.
 *
 * - `ingress` is who sent the INVITE to the switch, `egress` whom the switch sent it on to.
 * - `received.attestation`, `origId` and `iatSeconds` are copied out of the shaken PASSporT that came in. **Nobody has verified it.**
 *   `received.verstat` is the verdict that the switch itself wrote into the INVITE it sent on, and absent where it wrote none: what a
 *   peer claims by a verstat of its own is left aside. `received.spc` stays absent, since only the certificate names it.
 * - `signed` is a shaken PASSporT that went out and had not come in.
 */
function legParts(call: SipCall, leg: SipLeg, numbers: SourceNumbers): LegParts {
  const { ingress, egress, answer } = leg;
  // One of the two is there.
  const first = (ingress ?? egress) as InviteTransaction;
  const last = (egress ?? ingress) as InviteTransaction;
  const status = finalStatus(leg);
  const sentTo = ingress === undefined ? undefined : egress?.facts.requestUri;
  return {
    legId: [call.callId, last.branch, ...(answer === undefined ? [] : [answer.toTag])].join(' '),
    callGroupId: call.correlationId ?? call.callId,
    invite: { status: 'instant', atUs: begunAtUs(leg), basis: OBSERVED },
    answeredAtUs: answer?.atUs,
    endedAtUs: endedAtUs(leg),
    calling: first.facts.fromUri,
    asserted: first.facts.assertedUri,
    called: first.facts.requestUri ?? first.facts.toUri,
    sentTo: sentTo === undefined || writtenCaller(sentTo, numbers)?.tn === undefined ? undefined : sentTo,
    ingress: ingress === undefined ? undefined : { address: ingress.peer, callId: call.callId },
    egress: egress === undefined ? undefined : { address: egress.peer, callId: call.callId },
    disposition: dispositionOf(leg, status),
    release: releaseOf(leg, status),
    received: receivedOf(leg),
    signed: signedOf(leg),
    blockedBy: leg.isAnswered ? undefined : blockedByStatus(status),
  };
}

/** When the INVITE came in; where it was not captured, when the first message was that follows from it. */
function begunAtUs({ ingress, egress }: SipLeg): number {
  const ingressUs = ingress?.atUs ?? Number.POSITIVE_INFINITY;
  return ingress?.hasInvite === true ? ingressUs : Math.min(ingressUs, egress?.atUs ?? Number.POSITIVE_INFINITY);
}

function endedAtUs({ isAnswered, bye, ingress, egress }: SipLeg): number | undefined {
  if (isAnswered) return bye?.atUs;
  return egress?.finalAtUs ?? egress?.cancelledAtUs ?? ingress?.finalAtUs ?? ingress?.cancelledAtUs;
}

function finalStatus({ ingress, egress }: SipLeg): number | undefined {
  if (egress?.finalStatus !== undefined) return egress.finalStatus;
  // A branch that was called off need not have said anything any more, whatever became of the call.
  return egress?.cancelledAtUs === undefined ? ingress?.finalStatus : undefined;
}

function dispositionOf({ isAnswered, ingress, egress }: SipLeg, status: number | undefined): Disposition {
  if (isAnswered) return 'answered';
  if (status !== undefined) return dispositionOfStatus(status);
  return (egress ?? ingress)?.cancelledAtUs === undefined ? 'no-answer' : 'cancelled';
}

function releaseOf({ isAnswered, ingress, egress, bye }: SipLeg, status: number | undefined): Release | undefined {
  const first = ingress ?? egress;
  const isCalledOff = status === 487 && ingress?.cancelledAtUs !== undefined;
  const party = bye === undefined ? (isCalledOff ? 'calling' : undefined) : partyOf(bye.fromTag, first);
  const sipStatus = isAnswered ? undefined : status;
  const cause = isAnswered ? bye?.q850Cause : (egress?.finalCause ?? egress?.cancelCause ?? ingress?.finalCause);
  if (party === undefined && sipStatus === undefined && cause === undefined) return undefined;
  return {
    ...(sipStatus === undefined ? undefined : { sipStatus }),
    ...(cause === undefined ? undefined : { q850Cause: cause }),
    ...(party === undefined ? undefined : { party }),
  };
}

function partyOf(byeFromTag: string, first: InviteTransaction | undefined): 'calling' | 'called' {
  return byeFromTag === first?.facts.fromTag ? 'calling' : 'called';
}

function receivedOf({ ingress, egress }: SipLeg): ReceivedVerification | undefined {
  if (ingress === undefined) return undefined;
  const claims = shakenClaims(ingress.facts.identities);
  const verstat = egress?.facts.verstat;
  if (claims === undefined && verstat === undefined) return undefined;
  return { ...(verstat === undefined ? undefined : { verstat }), ...claims };
}

function signedOf({ ingress, egress }: SipLeg): OwnSigning | undefined {
  // Where the INVITE that came in was not captured, nobody can tell whose signature goes out.
  if (ingress?.hasInvite !== true || egress === undefined) return undefined;
  const came = new Set(ingress.facts.identities);
  const claims = shakenClaims(egress.facts.identities.filter((identity) => !came.has(identity)));
  if (claims?.attestation === undefined) return undefined;
  const { attestation, origId } = claims;
  return origId === undefined ? { attestation } : { attestation, origId };
}

/** What a carrier declares about a switch whose signalling is captured. */
export interface HepSource extends SourceDescription {
  readonly format: 'hep';
  /**
   * Addresses of the switch itself, without ports. They tell which way is in: without them its own address could be named as
   * the provider that a call came from.
   */
  readonly ownAddresses: readonly string[];
}

/** Settings of a reader of captured signalling that have defaults. */
export interface HepReaderOptions {
  /** How long a call that is over waits for late packets. Default {@link HEP_LINGER_US}. */
  readonly lingerUs?: number;
  /** Key that packets must carry (chunk 14). It comes in the clear: it keeps strays out, and nobody who can listen. */
  readonly key?: string;
  /** Most calls that are followed at a time; the oldest is given up for a new one. Default {@link MAX_HEP_CALLS}. */
  readonly maxCalls?: number;
  /** Octets of packets that are kept at a time, where the source keeps raw bytes. Default 134,217,728. */
  readonly maxRawBytes?: number;
}

/** T4 of SIP: the longest that a message is taken to stay on its way. @see RFC 3261 section 17.1.1.1 */
const HEP_LINGER_US = 5_000_000;
/** 64 × T1: the longest that a message is repeated, and so may still come when its call is gone. @see RFC 3261 section 17 */
const REMEMBERED_US = 32_000_000;
/** A thousand calls a second of three minutes each are 180,000; one takes about 3 KB. */
const MAX_HEP_CALLS = 250_000;
const READER_VERSION = 1;

/** Reads captured packets; otherwise as a {@link RecordReader}. */
export interface HepReader extends Pick<RecordReader, 'expire' | 'waiting'> {
  /**
   * What a packet makes: one reading for itself, and the records of calls that have been over for long enough. Never throws for peer
   * input.
   * @param packet - one whole HEP3 packet
   * @param receivedAtUs - when it came, microseconds since the epoch, by the receiver's clock: how long a call waits must not
   * depend on the clocks of agents. Of a file of packets the greatest time that has been read
   */
  readonly readPacket: (packet: Uint8Array, receivedAtUs: number) => readonly RowReading[];
  /**
   * Records of calls that have been over for long enough: for when no packet comes that would bring them out.
   * @param nowUs - microseconds since the epoch, by the receiver's clock
   */
  readonly finished: (nowUs: number) => readonly RowReading[];
}

/**
 * Makes a reader that assembles calls from SIP that an agent captured at a switch and sends as HEP3: INVITE, its responses, ACK, CANCEL
 * and BYE, joined by Call-ID, Via branches and tags, in any order, repeated or in part lost. One record for each branch that the switch
 * sent a call out by, all of a Call-ID (or correlation id) in one call group. A record is made when its call is over and late
 * packets have had their time; calls that never end wait for `expire`.
 *
 * What is taken from Identity headers nobody has verified.
 * @param description - name of the source, numbers, providers, and the IP addresses of the switch, one at least, without ports
 * @param options - how long a call that is over waits, microseconds, calls at a time, and the key of packets
 * @returns the reader; 250,000 calls wait in it at most where `maxCalls` says nothing else
 * @throws {@link HopbackError} `invalid-configuration` where no address of the switch is named, or the name or zone is none
 * @see HEPv3, RFC 3261
 */
export function createHepReader(description: HepSource, options: HepReaderOptions = {}): HepReader {
  const source = legSource(description, READER_VERSION);
  const state: ReaderState = {
    source,
    raw: rawKeeper(source.keepsRaw, options.maxRawBytes),
    own: ownAddresses(description.ownAddresses),
    key: options.key,
    lingerUs: options.lingerUs ?? HEP_LINGER_US,
    maxCalls: options.maxCalls ?? MAX_HEP_CALLS,
    calls: passingMap(),
    over: [],
    gone: passingMap(),
  };
  return {
    readPacket: (packet, receivedAtUs) => readPacket(state, packet, receivedAtUs),
    finished: (nowUs) => finishedCalls(state, nowUs),
    waiting: () => state.calls.size(),
    expire: (beforeUs) => {
      const readings: RowReading[] = [];
      for (const [, call] of state.calls.entries()) {
        if (call.firstUs < beforeUs) readings.push(...endCall(state, call, call.firstUs));
      }
      return readings;
    },
  };
}

/** The addresses in the one form in which packets have them. */
function ownAddresses(addresses: readonly string[]): ReadonlySet<string> {
  if (addresses.length === 0) {
    throw new HopbackError(
      'invalid-configuration',
      'Name the addresses of the switch: they tell which way calls came in.',
    );
  }
  return new Set(addresses.map(ipAddress));
}

/** An address in the one form that it has. @throws HopbackError `invalid-configuration` where it is none */
export function ipAddress(address: string): string {
  const family = isIP(address);
  if (family === 0)
    throw new HopbackError('invalid-configuration', `"${address}" is not an IP address without a port.`);
  return new SocketAddress({ address, family: family === 4 ? 'ipv4' : 'ipv6' }).address;
}

interface ReaderState {
  readonly source: LegSource;
  readonly raw: RawKeeper<Uint8Array>;
  readonly own: ReadonlySet<string>;
  readonly key: string | undefined;
  readonly lingerUs: number;
  readonly maxCalls: number;
  /** By Call-ID. */
  readonly calls: PassingMap<SipCall>;
  /** Calls that were over when they were put here, in the order of time. */
  readonly over: SipCall[];
  /** Branches of calls whose records are made, by Call-ID. */
  readonly gone: PassingMap<GoneCall>;
}

interface GoneCall {
  readonly branches: ReadonlySet<string>;
  readonly atUs: number;
}

function readPacket(state: ReaderState, bytes: Uint8Array, receivedAtUs: number): readonly RowReading[] {
  const parsed = parseHepPacket(bytes);
  if (parsed.status === 'malformed') return rejectedRow('bad-packet', `at byte ${parsed.offset}`, parsed.reason);
  const { packet } = parsed;
  if (state.key !== undefined && !isSameKey(state.key, packet.key)) {
    return rejectedRow('bad-packet', 'without the key that is declared, or with another', 'hep-key');
  }
  if (packet.payloadType !== HEP_SIP) return skippedRow('not-a-call');
  const read = readSipFacts(packet.payload);
  if (read.status === 'empty') return skippedRow('not-a-call');
  if (read.status === 'malformed')
    return rejectedRow('bad-packet', 'the captured SIP message cannot be read', read.field);
  const { facts } = read;
  const side = CALL_METHODS.has(facts.method) ? sideOf(state.own, packet, facts) : undefined;
  if (side === undefined) return skippedRow('not-a-call');
  const due = finishedCalls(state, receivedAtUs);
  const own = take(state, {
    packet,
    facts,
    side,
    receivedAtUs,
    bytes,
  });
  return due.length === 0 ? own : [...own, ...due];
}

/** In the same time wherever the two differ. */
function isSameKey(declared: string, key: string | undefined): boolean {
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  return key !== undefined && timingSafeEqual(digest(declared), digest(key));
}

/** Methods that begin, answer and end calls. */
const CALL_METHODS: ReadonlySet<string> = new Set(['INVITE', 'ACK', 'CANCEL', 'BYE']);

/** The side on which the request of a message's transaction passed; undefined where the switch had no part in it. */
function sideOf(
  own: ReadonlySet<string>,
  { source, destination }: HepPacket,
  { status }: SipFacts,
): SipSide | undefined {
  const isRequest = status === undefined;
  const isFromOwn = own.has(isRequest ? source.address : destination.address);
  const isToOwn = own.has(isRequest ? destination.address : source.address);
  if (isFromOwn) return isToOwn ? 'internal' : 'egress';
  return isToOwn ? 'ingress' : undefined;
}

interface TakenMessage {
  readonly packet: HepPacket;
  readonly facts: SipFacts;
  readonly side: SipSide;
  readonly receivedAtUs: number;
  /** The whole packet, which may be written over afterwards. */
  readonly bytes: Uint8Array;
}

function take(state: ReaderState, { packet, facts, side, receivedAtUs, bytes }: TakenMessage): readonly RowReading[] {
  const { callId } = facts;
  const branch = facts.branches[0];
  let call = state.calls.get(callId);
  let readings: readonly RowReading[] = WAITING;
  if (call === undefined) {
    const gone = state.gone.get(callId);
    const isRepeat =
      gone !== undefined && (facts.method !== 'INVITE' || (branch !== undefined && gone.branches.has(branch)));
    if (isRepeat) return skippedRow('repeated');
    if (state.calls.size() >= state.maxCalls) readings = [...WAITING, ...endOldest(state, receivedAtUs)];
    call = beginSipCall(callId, receivedAtUs);
    call.raw = state.raw.begin();
    state.calls.set(callId, call);
  }
  if (packet.correlationId !== undefined) call.correlationId ??= packet.correlationId;
  const isOutbound = side === 'egress';
  const isResponse = facts.status !== undefined;
  const peer = addressOf(isOutbound === isResponse ? packet.source : packet.destination);
  const packets = call.packets.size;
  const isKept = addToSipCall(call, {
    facts,
    side,
    peer,
    atUs: packet.atUs,
    sha256: sourceSha256(bytes),
  });
  const isNew = call.packets.size > packets;
  if (isNew && call.raw !== undefined) call.raw = state.raw.add(call.raw, Uint8Array.from(bytes), bytes.length);
  noteWhetherOver(state, call, receivedAtUs);
  return isKept ? readings : [...TOO_MANY_BRANCHES, ...readings.slice(1)];
}

const WAITING: readonly RowReading[] = [{ status: 'waiting' }];
const TOO_MANY_BRANCHES = rejectedRow('too-long', 'a call of more branches than a call may have', 'Via');

function addressOf({ address, port }: HepEndpoint): string {
  if (port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function noteWhetherOver(state: ReaderState, call: SipCall, atUs: number): void {
  if (!isSipCallOver(call)) {
    delete call.overAtUs;
    return;
  }
  if (call.overAtUs !== undefined) return;
  call.overAtUs = atUs;
  state.over.push(call);
}

/** Records of the calls that have been over for long enough. */
function finishedCalls(state: ReaderState, nowUs: number): readonly RowReading[] {
  const { over, lingerUs } = state;
  let taken = 0;
  let readings: RowReading[] | undefined;
  for (; taken < over.length; taken += 1) {
    const call = over[taken];
    if (call?.overAtUs === undefined) continue;
    if (nowUs - call.overAtUs <= lingerUs) break;
    if (state.calls.get(call.callId) === call) (readings ??= []).push(...endCall(state, call, nowUs));
  }
  if (taken > 0) over.splice(0, taken);
  return readings ?? NONE;
}

const NONE: readonly RowReading[] = [];

function endOldest(state: ReaderState, nowUs: number): readonly RowReading[] {
  const oldest = state.calls.oldest();
  return oldest === undefined ? [] : endCall(state, oldest[1], nowUs);
}

function endCall(state: ReaderState, call: SipCall, nowUs: number): readonly RowReading[] {
  state.calls.delete(call.callId);
  forgetGone(state, nowUs);
  state.gone.set(call.callId, { branches: branchesOfCall(call), atUs: nowUs });
  const parts = legsOfSipCall(call).map((leg) => legParts(call, leg, state.source.numbers));
  const raw = call.raw === undefined ? undefined : rawPacketsOf(call.raw.rows);
  call.raw = state.raw.end(call.raw);
  if (parts.length === 0)
    return rejectedRow('missing-field', 'messages of a call whose INVITE was not captured', 'INVITE');
  // The hash stands for all packets of the call.
  const row = { text: '', sha256: joinedSha256([...call.packets]), line: 0 };
  return parts.flatMap((part) => joinedLegReading(row, state.source, part, raw));
}

/** Late repeats of these calls are over, or they are too many to be remembered. */
function forgetGone({ gone, maxCalls }: ReaderState, nowUs: number): void {
  for (let oldest = gone.oldest(); oldest !== undefined; oldest = gone.oldest()) {
    if (gone.size() < maxCalls && oldest[1].atUs + REMEMBERED_US >= nowUs) return;
    gone.delete(oldest[0]);
  }
}
