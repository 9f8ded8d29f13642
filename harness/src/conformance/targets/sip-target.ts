import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { HopbackError } from '@hopback/sdk/errors';
import { schedule } from '@hopback/sdk/internal/runtime';
import { readVerstat } from '../case.js';
import type { Capability, Observed, ReasonSeen, SentCall, SigningAsk } from '../case.js';
import { DEFAULT_TIMEOUT_MS } from './target.js';
import type { ConformanceTarget, ConformanceTargetOptions } from './target.js';

/** A SIP message, as far as a test looks at it. */
export interface SipMessage {
  /** Status of a response, 0 for a request. */
  readonly status: number;
  /** Method of a request, or of the request that a response is for. */
  readonly method: string;
  /** Values in their order, folded lines joined. */
  readonly values: (name: string) => readonly string[];
}

/** @see RFC 3261 section 7.3.3, RFC 8224 section 4 */
const COMPACT: Readonly<Record<string, string>> = {
  i: 'call-id',
  m: 'contact',
  f: 'from',
  t: 'to',
  v: 'via',
  l: 'content-length',
  c: 'content-type',
  y: 'identity',
};

/** Reads a message. @returns undefined for what is none; never throws for peer input */
export function readSipMessage(text: string): SipMessage | undefined {
  const [head = ''] = text.split('\r\n\r\n', 1);
  const [startLine = '', ...lines] = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const [, digits] = /^SIP\/2\.0 (\d{3})(?: |$)/.exec(startLine) ?? [];
  const [, method] = /^([A-Z]+) \S+ SIP\/2\.0$/.exec(startLine) ?? [];
  if (digits === undefined && method === undefined) return undefined;
  const fields = lines.flatMap((line): readonly (readonly [string, string])[] => {
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim().toLowerCase();
    return at < 0 ? [] : [[COMPACT[name] ?? name, line.slice(at + 1).trim()]];
  });
  const values = (name: string): readonly string[] =>
    fields.flatMap(([field, value]) => (field === name.toLowerCase() ? [value] : []));
  const ofResponse = values('cseq')[0]?.split(/\s+/)[1] ?? '';
  return { status: Number(digits ?? 0), method: method ?? ofResponse, values };
}

/** Where an INVITE goes, and where its answer comes to. */
interface InvitePlace {
  /** Host and port of the Request-URI. */
  readonly domain: string;
  /** `address:port` of the sender. */
  readonly sentBy: string;
  readonly callId: string;
  readonly branch: string;
  readonly tag: string;
  /** Further header fields, whole lines. */
  readonly lines?: readonly string[];
}

/** An INVITE with a session description, as it comes to a switch. */
export function inviteText(call: SentCall, { domain, sentBy, callId, branch, tag, lines = [] }: InvitePlace): string {
  const { identity, origTn, destTn, targetTn = destTn, dateSeconds, asserted = [] } = call;
  const from = call.from ?? `<sip:${plus(origTn)}@originating.example;user=phone>`;
  const to = call.to ?? `<sip:${plus(destTn)}@terminating.example;user=phone>`;
  const body = SESSION.join('\r\n');
  const head = [
    `INVITE sip:${plus(targetTn)}@${domain};user=phone SIP/2.0`,
    `Via: SIP/2.0/UDP ${sentBy};branch=${branch};rport`,
    'Max-Forwards: 70',
    `From: ${from};tag=${tag}`,
    `To: ${to}`,
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:${sentBy}>`,
    `Date: ${new Date(dateSeconds * 1000).toUTCString()}`,
    ...asserted.map((value) => `P-Asserted-Identity: ${value}`),
    ...identity.map((value) => `Identity: ${value}`),
    ...lines,
    'Content-Type: application/sdp',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

const plus = (tn: string): string => (/^\d/.test(tn) ? `+${tn}` : tn);

const SESSION: readonly string[] = [
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 49170 RTP/AVP 0',
  '',
];

/** ACK of a final response; that of a 2xx has a branch of its own. @see RFC 3261 sections 13.2.2.4, 17.1.1.3 */
function ackText(invite: string, response: SipMessage, branch: string): string {
  return followUp('ACK', invite, { response, branch, cseq: 1 });
}

/** BYE of a call that was accepted. */
const byeText = (invite: string, response: SipMessage, branch: string): string =>
  followUp('BYE', invite, { response, branch, cseq: 2 });

function followUp(
  method: 'ACK' | 'BYE',
  invite: string,
  {
    response,
    branch,
    cseq,
  }: {
    readonly response: SipMessage;
    readonly branch: string;
    readonly cseq: number;
  },
): string {
  const sent = readSipMessage(invite);
  const [uri = ''] = /(?<=^INVITE )\S+/.exec(invite) ?? [];
  const via = sent?.values('via')[0] ?? '';
  return `${[
    `${method} ${uri} SIP/2.0`,
    `Via: ${response.status < 300 ? via.replace(/branch=[^;]+/, `branch=${branch}`) : via}`,
    'Max-Forwards: 70',
    `From: ${sent?.values('from')[0] ?? ''}`,
    `To: ${response.values('to')[0] ?? ''}`,
    `Call-ID: ${sent?.values('call-id')[0] ?? ''}`,
    `CSeq: ${String(cseq)} ${method}`,
    'Content-Length: 0',
  ].join('\r\n')}\r\n\r\n`;
}

/** What the callee of the tests answers: it has seen what it wanted to see. */
function calleeResponse(request: SipMessage, tag: string): string {
  const to = request.values('to')[0] ?? '';
  return `${[
    'SIP/2.0 480 Temporarily Unavailable',
    ...request.values('via').map((value) => `Via: ${value}`),
    `From: ${request.values('from')[0] ?? ''}`,
    `To: ${to}${to.includes(';tag=') ? '' : `;tag=${tag}`}`,
    `Call-ID: ${request.values('call-id')[0] ?? ''}`,
    `CSeq: ${request.values('cseq')[0] ?? ''}`,
    'Content-Length: 0',
  ].join('\r\n')}\r\n\r\n`;
}

/** The STIR values among Reason header field values, several of which may stand in one. @see RFC 9410 section 4, RFC 3326 */
export function stirReasons(values: readonly string[]): readonly ReasonSeen[] {
  return values
    .flatMap((value) => splitList(value))
    .flatMap((value) => {
      const [protocol = '', ...parameters] = splitOutsideQuotes(value, ';').map((part) => part.trim());
      if (protocol.toUpperCase() !== 'STIR') return [];
      const parameter = (name: string): string | undefined =>
        parameters
          .find((one) => one.toLowerCase().startsWith(`${name}=`))
          ?.slice(name.length + 1)
          .replaceAll('"', '');
      const [cause, text, ppi] = [Number(parameter('cause')), parameter('text'), parameter('ppi')];
      if (!Number.isInteger(cause)) return [];
      return [{ cause, ...(text !== undefined && { text }), ...(ppi !== undefined && { ppi }) }];
    });
}

/** The first verstat parameter of callers: P-Asserted-Identity before From. @see 3GPP TS 24.229 section 7.2A.20 */
function verstatIn(message: SipMessage): string | undefined {
  const callers = [...message.values('p-asserted-identity'), ...message.values('from')];
  return callers.map((value) => /;verstat=([A-Za-z-]+)/i.exec(value)?.[1]).find((one) => one !== undefined);
}

const splitList = (value: string): readonly string[] => splitOutsideQuotes(value, ',');

function splitOutsideQuotes(value: string, separator: ',' | ';'): readonly string[] {
  const parts: string[] = [''];
  let isQuoted = false;
  for (const character of value) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === separator && !isQuoted) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** What came of an INVITE. */
interface SipExchange {
  /** Responses to the caller, provisional ones first; the last one is final unless the time was over. */
  readonly responses: readonly SipMessage[];
  /** The request as it came out at the callee. */
  readonly delivered?: SipMessage;
}

/** Responses that refuse a request for its Identity. @see RFC 8224 section 6.2.2 */
const STIR_CODES: ReadonlySet<number> = new Set([403, 428, 436, 437, 438]);
const STALL = 'no final response in time';

/** Where redirect servers write a signature. */
const IDENTITY_FIELDS = ['identity', 'x-identity'];
const ATTESTATION_FIELDS = ['attestation-info', 'p-attestation-indicator', 'attestation'];

/** Reads what a redirect server answered to a call to be verified. */
export function readRedirectVerdict({ responses }: SipExchange): Observed {
  const final = finalOf(responses);
  if (final === undefined) return { kind: 'no-answer', why: 'timeout', said: STALL };
  const { status } = final;
  if (status === 300 || status === 302) return verdictOf(final, responses, String(status));
  // 404: nothing to say, the call goes on as it is. 503: another server may be asked. 400 and others: it cannot be read.
  if ((status >= 400 && status < 500) || status === 503 || status === 603) return refusalOf(final, responses);
  return { kind: 'not-understood', said: `SIP ${String(status)}` };
}

/** Reads what a device made of a call that was to go through it. */
export function readDeviceVerdict({ responses, delivered }: SipExchange): Observed {
  if (delivered !== undefined && verstatIn(delivered) !== undefined)
    return verdictOf(delivered, responses, 'the callee got it with');
  const final = finalOf(responses);
  if (delivered !== undefined) return accepted('the callee got it without verstat', responses);
  if (final === undefined) return { kind: 'no-answer', why: 'timeout', said: STALL };
  if (final.status < 300) return accepted(`SIP ${String(final.status)}`, responses);
  if (final.status >= 500 && final.status < 600) return { kind: 'not-understood', said: `SIP ${String(final.status)}` };
  return refusalOf(final, responses);
}

/** Reads what a redirect server answered to a call to be signed. */
export function readRedirectSignature({ responses }: SipExchange): Observed {
  const final = finalOf(responses);
  if (final === undefined) return { kind: 'no-answer', why: 'timeout', said: STALL };
  return signatureOf(final, final.status);
}

/** Reads what came out at the callee of a call to be signed. */
export function readDeviceSignature({ responses, delivered }: SipExchange): Observed {
  const final = finalOf(responses);
  if (delivered !== undefined) return signatureOf(delivered, final?.status ?? 0);
  if (final === undefined) return { kind: 'no-answer', why: 'timeout', said: STALL };
  return { kind: 'not-signed', status: final.status, said: `SIP ${String(final.status)}` };
}

const finalOf = (responses: readonly SipMessage[]): SipMessage | undefined =>
  responses.find(({ status }) => status >= 200);

type Verified = Extract<Observed, { readonly kind: 'verified' }>;

function verdictOf(message: SipMessage, responses: readonly SipMessage[], said: string): Observed {
  const text = verstatIn(message);
  const told = toldIn(responses, message);
  if (text === undefined) return { kind: 'verified', isPassed: false, ...told, said: `${said} without verstat` };
  const read = readVerstat(text);
  if (read === undefined) return { kind: 'not-understood', said: `verstat ${text}` };
  const attestation =
    read.attestation ?? ATTESTATION_FIELDS.flatMap((field) => message.values(field)).find((one) => /^[ABC]$/.test(one));
  return {
    kind: 'verified',
    isPassed: read.verstat === 'TN-Validation-Passed',
    verstat: read.verstat,
    ...told,
    ...(attestation !== undefined && { attestation }),
    said: [said, read.verstat, ...told.codes].join(' '),
  };
}

function refusalOf(final: SipMessage, responses: readonly SipMessage[]): Verified {
  const { codes, reasons } = toldIn(responses);
  const all = STIR_CODES.has(final.status) ? [...new Set([final.status, ...codes])] : codes;
  const said = [`SIP ${String(final.status)}`, ...codes.map((code) => `Reason ${String(code)}`)].join(', ');
  return {
    kind: 'verified',
    isPassed: false,
    codes: all,
    reasons,
    isFinalResponse: true,
    said,
  };
}

function accepted(said: string, responses: readonly SipMessage[]): Verified {
  return {
    kind: 'verified',
    isPassed: true,
    ...toldIn(responses),
    said,
  };
}

/** What the caller's side was told in Reason; a redirect server tells it in the response that has the verdict. */
function toldIn(responses: readonly SipMessage[], also?: SipMessage): Pick<Verified, 'codes' | 'reasons'> {
  const messages = also === undefined || responses.includes(also) ? responses : [...responses, also];
  const reasons = stirReasons(messages.flatMap((message) => message.values('reason')));
  return { codes: [...new Set(reasons.map(({ cause }) => cause))], reasons };
}

function signatureOf(message: SipMessage, status: number): Observed {
  const identity = IDENTITY_FIELDS.flatMap((field) => message.values(field));
  if (identity.length === 0) return { kind: 'not-signed', status, said: `SIP ${String(status)} without Identity` };
  return { kind: 'signed', identity, said: 'signed' };
}

/** Where something listens. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** Caller and callee of the tests, over UDP. */
type SipWire = Awaited<ReturnType<typeof openSipWire>>;

/** First wait before an INVITE goes out again; each one after it is twice as long. @see RFC 3261 section 17.1.1.2 (timer A) */
const TIMER_A_MS = 500;

interface OpenCall {
  readonly heard: (message: SipMessage) => void;
  readonly delivered: (message: SipMessage) => void;
}

/**
 * Opens the sockets.
 * @param options - where the device is, how long its answer is waited for, and where the callee is to listen
 * @throws node's own error when a port cannot be opened
 */
async function openSipWire(options: { readonly peer: Place; readonly timeoutMs: number; readonly callee?: Place }) {
  const open = new Map<string, OpenCall>();
  const caller = await listening({ host: await localAddress(options.peer), port: 0 });
  const callee =
    options.callee === undefined
      ? undefined
      : await listening(options.callee).catch(async (error) => {
          await closed(caller);
          throw error;
        });
  caller.on('message', (octets: Buffer) => {
    const message = readSipMessage(octets.toString('utf8'));
    if (message !== undefined && message.status > 0 && message.method === 'INVITE')
      open.get(callIdOf(message))?.heard(message);
  });
  callee?.on('message', (octets: Buffer, from) => {
    const message = readSipMessage(octets.toString('utf8'));
    if (message === undefined || message.method !== 'INVITE' || message.status > 0) return;
    callee.send(calleeResponse(message, 'callee'), from.port, from.address);
    open.get(callIdOf(message))?.delivered(message);
  });
  const { address, port } = caller.address();
  const send = (text: string, to: Place): void => caller.send(text, to.port, to.host, () => undefined);
  return {
    /** Sends an INVITE, and gives what came of it; never rejects. */
    call: (
      call: SentCall,
      to: Place & {
        readonly domain: string;
        readonly callId: string;
        readonly lines: readonly string[];
      },
    ): Promise<SipExchange> =>
      exchange({
        call,
        to,
        sentBy: `${address}:${String(port)}`,
        send,
        open,
        timeoutMs: options.timeoutMs,
      }),
    close: async () => {
      await closed(caller);
      if (callee !== undefined) await closed(callee);
    },
  };
}

interface Exchange {
  readonly call: SentCall;
  readonly to: Parameters<SipWire['call']>[1];
  readonly sentBy: string;
  readonly send: (text: string, to: Place) => void;
  readonly open: Map<string, OpenCall>;
  readonly timeoutMs: number;
}

function exchange({ call, to, sentBy, send, open, timeoutMs }: Exchange): Promise<SipExchange> {
  const { callId, domain, lines } = to;
  const branch = `z9hG4bK${callId}`;
  const invite = inviteText(call, {
    domain,
    sentBy,
    callId,
    branch,
    tag: callId.slice(0, 8),
    lines,
  });
  const responses: SipMessage[] = [];
  let delivered: SipMessage | undefined;
  let cancelAgain: (() => void) | undefined;
  return new Promise((resolve) => {
    const repeat = (waitMs: number): void => {
      cancelAgain = schedule(() => {
        send(invite, to);
        repeat(2 * waitMs);
      }, waitMs);
    };
    const end = (): void => {
      cancelAgain?.();
      cancelOvertime();
      open.delete(callId);
      resolve({ responses, ...(delivered !== undefined && { delivered }) });
    };
    const cancelOvertime = schedule(end, timeoutMs);
    open.set(callId, {
      heard: (response) => {
        cancelAgain?.();
        responses.push(response);
        if (response.status < 200) return;
        send(ackText(invite, response, `${branch}a`), to);
        if (response.status < 300) send(byeText(invite, response, `${branch}b`), to);
        end();
      },
      delivered: (request) => {
        delivered ??= request;
      },
    });
    send(invite, to);
    repeat(TIMER_A_MS);
  });
}

const callIdOf = (message: SipMessage): string => message.values('call-id')[0] ?? '';

async function listening({ host, port }: Place): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, host);
  await once(socket, 'listening');
  // ICMP may say that nobody listens; that nothing comes says the same.
  socket.on('error', () => undefined);
  return socket;
}

/** The address by which the device sees this machine. */
async function localAddress({ host, port }: Place): Promise<string> {
  const socket = createSocket('udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  const { address } = socket.address();
  await closed(socket);
  return address;
}

async function closed(socket: Socket): Promise<void> {
  const closing = once(socket, 'close');
  socket.close();
  await closing;
}

const SIP: readonly Capability[] = [
  ...(['verify', 'parties', 'sip-caller', 'several-headers', 'target', 'date', 'unsigned', 'folding'] as const),
  ...(['codes', 'reasons', 'sign', 'sign-spelling'] as const),
];

/** A redirect server: an INVITE goes in, 302 with what is to be added comes out. @throws {@link HopbackError} for a URL that is none */
export const redirectTarget = (options: ConformanceTargetOptions): Promise<ConformanceTarget> =>
  sipTarget(options, { verdict: readRedirectVerdict, signature: readRedirectSignature, shows: ['verstat'] });

/** A device that calls go through. @throws {@link HopbackError} for a URL that is none */
export const deviceTarget = (options: ConformanceTargetOptions): Promise<ConformanceTarget> =>
  sipTarget(options, {
    verdict: readDeviceVerdict,
    signature: readDeviceSignature,
    shows: options.sip?.callee === undefined ? [] : ['verstat'],
  });

interface SipReading {
  readonly verdict: (exchange: Awaited<ReturnType<SipWire['call']>>) => Observed;
  readonly signature: (exchange: Awaited<ReturnType<SipWire['call']>>) => Observed;
  readonly shows: readonly Capability[];
}

async function sipTarget(options: ConformanceTargetOptions, reading: SipReading): Promise<ConformanceTarget> {
  const { kind, url, signingUrl = url, timeoutMs = DEFAULT_TIMEOUT_MS, lacks = [], sip = {} } = options;
  const [verifier, signer] = [placeOf(url), placeOf(signingUrl)];
  const wire = await openSipWire({
    peer: verifier,
    timeoutMs,
    ...(sip.callee !== undefined && { callee: placeOf(`sip:${sip.callee}`) }),
  });
  const has: readonly Capability[] = [
    ...SIP,
    ...reading.shows,
    ...(sip.attestationField === undefined ? [] : (['sign-attestation'] as const)),
    ...(sip.origIdField === undefined ? [] : (['sign-origid'] as const)),
  ];
  const asked = async (call: SentCall, to: SipPlace & { readonly domain: string }, lines: readonly string[] = []) =>
    wire.call(call, { ...to, callId: randomUUID(), lines });
  return {
    kind,
    url,
    close: wire.close,
    [Symbol.asyncDispose]: wire.close,
    capabilities: new Set(has.filter((one) => !lacks.includes(one))),
    verify: async (call) =>
      reading.verdict(await asked(call, { ...verifier, domain: sip.domain ?? hostPort(verifier) })),
    sign: async (ask) =>
      reading.signature(
        await asked(callOf(ask), { ...signer, domain: sip.signingDomain ?? hostPort(signer) }, [
          ...fieldLine(sip.attestationField, ask.attestation),
          ...fieldLine(sip.origIdField, ask.origId),
        ]),
      ),
  };
}

/** A call without Identity, which is how a device is asked to sign. */
function callOf({ origTn, destTn, iatSeconds }: SigningAsk): SentCall {
  return {
    identity: [],
    origTn: origTn ?? 'anonymous',
    destTn: destTn[0] ?? '',
    dateSeconds: iatSeconds ?? 0,
  };
}

const fieldLine = (name: string | undefined, value: string | undefined): readonly string[] =>
  name === undefined || value === undefined ? [] : [`${name}: ${value}`];

/** Where a device listens. */
interface SipPlace {
  readonly host: string;
  readonly port: number;
}

const hostPort = ({ host, port }: SipPlace): string => `${host}:${String(port)}`;

const SIP_PORT = 5060;

function placeOf(url: string): SipPlace {
  const [, host, port] = /^sip:(?:[^@]*@)?([A-Za-z0-9.-]+)(?::(\d{1,5}))?(?:;transport=udp)?$/i.exec(url) ?? [];
  if (host === undefined)
    throw new HopbackError('invalid-argument', 'the URL of a SIP target is sip:host:port, over UDP');
  return { host, port: port === undefined ? SIP_PORT : Number(port) };
}
