import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '@hopback/sdk/testing';
import { WebSocketServer } from 'ws';
import { DrachtioServer } from '../../harness/src/drachtio/index.js';
import { BlockingSubscriber, Phone } from '../../harness/src/phones/index.js';
import { GOODBYE_MS } from '../../harness/src/phones/phone.js';
import type { AppReport, IncomingCall, PhoneLogEntry, PhoneOptions } from '../../harness/src/phones/index.js';
import {
  connectApp,
  heard,
  type AppDialog,
  type AppRequest,
  type AppResponse,
  type AppSrf,
  type ConnectedApp,
  type UacCallbacks,
  type UacOptions,
} from '../support/drachtio-app.js';
import { eventually } from '../support/waits.js';

const DOMAIN = 'phones.example';
const ALICE = '12025550101';
const BOB = '12025550199';
const KINDS = ['TCPSocketWrap', 'TCPServerWrap', 'UDPWrap', 'Timeout'];
const SDP =
  'v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n';

type Handler = (req: AppRequest, res: AppResponse) => unknown;

// What a drachtio application has to do by hand to send 607: the table of statuses of drachtio-srf does not have it.
const statuses = createRequire(createRequire(import.meta.url).resolve('drachtio-srf'))('sip-status') as Record<
  number,
  string
>;
beforeAll(() => {
  statuses[607] = 'Unwanted';
});
// The files that follow in the process have the table as it is.
afterAll(() => {
  delete statuses[607];
});

/** A server, an application that is its registrar, and phones; all gone after the test. */
class Lab {
  readonly server: DrachtioServer;
  readonly connected: ConnectedApp;
  readonly app: AppSrf;
  /** Where the registrar reaches a number. */
  readonly bindings = new Map<string, { readonly uri: string; readonly contact: string }>();
  readonly registers: AppRequest[] = [];
  readonly phones: Phone[] = [];
  answersContact = true;
  credentials: { readonly username: string; readonly password: string } | undefined;

  constructor(server: DrachtioServer, connected: ConnectedApp) {
    this.server = server;
    this.connected = connected;
    this.app = connected.srf;
    this.app.register((req, res) => this.#register(req, res));
  }

  readonly ws = (): string => {
    const { host, port } = this.server.listening[0]!;
    return `ws://${host}:${port}`;
  };

  readonly phone = async (number: string, options: Partial<PhoneOptions> = {}): Promise<Phone> => {
    const phone = await Phone.open({ server: this.ws(), number, domain: DOMAIN, ...options });
    this.phones.push(phone);
    return phone;
  };

  readonly registered = async (number: string, options: Partial<PhoneOptions> = {}): Promise<Phone> => {
    const phone = await this.phone(number, options);
    await phone.register();
    return phone;
  };

  /** The URI that reaches a registered number through its connection. */
  readonly route = (number: string): string => this.bindings.get(number)!.uri;

  /** The application takes INVITEs. */
  readonly takes = (handler: Handler): void => this.app.invite((req, res) => void handler(req, res));

  /** The application calls Alice in Bob's name. */
  readonly calls = (options: UacOptions = {}, callbacks: UacCallbacks = {}): Promise<AppDialog> =>
    this.app.createUAC(this.route(ALICE), { localSdp: SDP, callingNumber: BOB, ...options }, callbacks);

  #register(req: AppRequest, res: AppResponse): void {
    this.registers.push(req);
    if (this.credentials !== undefined && !isProven(req, this.credentials)) {
      res.send(401, {
        headers: { 'WWW-Authenticate': 'Digest realm="phones.example", nonce="n0", algorithm=MD5, qop="auth"' },
      });
      return;
    }
    const contact = req.get('Contact') ?? '';
    const number = /<sip:\+?(\d+)@/.exec(req.get('To') ?? '')?.[1] ?? '';
    const uri = `sip:${number}@${req.source_address}:${req.source_port};transport=ws`;
    if (/expires=0/.test(contact)) this.bindings.delete(number);
    else this.bindings.set(number, { uri, contact });
    res.send(200, this.answersContact ? { headers: { Contact: contact } } : {});
  }
}

/** @see RFC 2617 section 3.2.2 */
function isProven(req: AppRequest, { username, password }: { readonly username: string; readonly password: string }) {
  const header = req.get('Authorization') ?? '';
  const part = (name: string): string => new RegExp(`[ ,]${name}="?([^",]*)`).exec(header)?.[1] ?? '';
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const ha1 = md5(`${username}:phones.example:${password}`);
  const ha2 = md5(`REGISTER:${part('uri')}`);
  return (
    part('response') === md5(`${ha1}:n0:${part('nc')}:${part('cnonce')}:auth:${ha2}`) && part('username') === username
  );
}

const handles = (): readonly string[] => process.getActiveResourcesInfo().filter((kind) => KINDS.includes(kind));
const inLanes = (kinds: readonly string[]): object =>
  Object.fromEntries(
    KINDS.filter((kind) => kind !== 'Timeout').map((kind) => [kind, kinds.filter((one) => one === kind).length]),
  );

/** The timers that phones, sip.js and ws start from now on, and that neither fired nor were cleared; told by where they were started. */
function phoneTimers(): () => readonly string[] {
  const running = new Map<unknown, string>();
  for (const name of ['setTimeout', 'setInterval'] as const) {
    const start = globalThis[name] as (callback: () => void, delayMs?: number) => unknown;
    vi.spyOn(globalThis, name).mockImplementation(((callback: () => void, delayMs?: number) => {
      const timer = start(() => {
        if (name === 'setTimeout') running.delete(timer);
        callback();
      }, delayMs);
      const stack = new Error('started').stack ?? '';
      if (/src\/phones|node_modules\/(sip\.js|ws)\//.test(stack)) running.set(timer, stack);
      return timer;
    }) as never);
  }
  for (const name of ['clearTimeout', 'clearInterval'] as const) {
    const clear = globalThis[name] as (timer: unknown) => void;
    vi.spyOn(globalThis, name).mockImplementation((timer: unknown) => {
      running.delete(timer);
      clear(timer);
    });
  }
  return () => [...running.values()];
}

const nextCall = async (phone: Phone): Promise<IncomingCall> => {
  const { value } = (await phone.incoming().next()) as IteratorResult<IncomingCall, undefined>;
  if (value === undefined) throw new Error('the phone closed');
  return value;
};

let before: object;
let lab: Lab;

beforeEach(async () => {
  before = inLanes(handles());
  const server = await DrachtioServer.open({
    listen: [
      { transport: 'ws', host: '127.0.0.1', port: 0 },
      { transport: 'udp', host: '127.0.0.1', port: 0 },
    ],
  });
  lab = new Lab(server, await connectApp(server));
});

afterEach(async () => {
  await Promise.all(lab.phones.map((phone) => phone.close()));
  vi.restoreAllMocks();
  const { server, connected } = lab;
  await eventually(() => {
    const { dialogs, pendingInvites, outgoing, unacknowledged, connections } = server.inUse();
    return dialogs + pendingInvites + outgoing + unacknowledged + connections === 0;
  });
  await connected.close();
  await server.close();
  await eventually(() => JSON.stringify(inLanes(handles())) === JSON.stringify(before));
});

test('a phone registers, is known by its connection, and is unknown after it unregistered', async () => {
  const phone = await lab.phone(ALICE);
  const { contactUri, expiresSeconds } = await phone.register();
  expect({ expiresSeconds, isRegistered: phone.isRegistered() }).toEqual({ expiresSeconds: 600, isRegistered: true });
  expect(lab.bindings.get(ALICE)?.contact).toBe(`<${contactUri}>;expires=600`);
  await phone.unregister();
  expect({ known: lab.bindings.size, isRegistered: phone.isRegistered() }).toEqual({ known: 0, isRegistered: false });
  await phone.unregister();
  expect(lab.registers).toHaveLength(2);
});

test('a phone answers the digest challenge of a registrar', async () => {
  lab.credentials = { username: 'alice', password: 'over the hills' };
  const phone = await lab.phone(ALICE, { credentials: lab.credentials });
  await phone.register();
  expect(lab.registers.map((req) => [req.get('CSeq'), req.get('Authorization') !== undefined])).toEqual([
    ['1 REGISTER', false],
    ['2 REGISTER', true],
  ]);
  expect(lab.registers[1]?.get('Call-ID')).toBe(lab.registers[0]?.get('Call-ID'));
  await phone.register();
  expect(lab.registers[2]?.get('CSeq')).toBe('3 REGISTER');
});

test.each([
  ['wrong credentials', { credentials: { username: ALICE, password: 'far away' } }],
  ['no credentials', {}],
])('a phone with %s is refused by a registrar that challenges', async (_what, options) => {
  lab.credentials = { username: ALICE, password: 'over the hills' };
  const phone = await lab.phone(ALICE, options);
  await expect(phone.register()).rejects.toMatchObject({
    ...{ code: 'unavailable', retryable: false, details: { status: 401 } },
  });
  expect([phone.isRegistered(), lab.registers.length]).toEqual([false, 2]);
});

test('a registrar that answers without Contact or expires registers for as long as was asked', async () => {
  const clock = new ManualClock();
  lab.answersContact = false;
  const phone = await lab.phone(ALICE, { clock, registrationSeconds: 120 });
  expect((await phone.register()).expiresSeconds).toBe(120);
  clock.advance(108_000);
  await eventually(() => lab.registers.length === 2);
  await eventually(() => clock.pendingTimers() === 1);
  expect(phone.isRegistered()).toBe(true);
});

test('a registration is renewed after nine tenths of its time, and not after the phone closed', async () => {
  const clock = new ManualClock();
  const phone = await lab.registered(ALICE, { clock });
  clock.advance(539_999);
  await phone.register();
  expect(lab.registers).toHaveLength(2);
  clock.advance(540_000);
  await eventually(() => lab.registers.length === 3);
  await phone.close();
  expect(clock.pendingTimers()).toBe(0);
  expect(lab.registers.at(-1)?.get('Expires')).toBe('0');
});

test.each(['app', 'phone'])('a call to the application is answered and hung up by the %s', async (side) => {
  const dialogs: AppDialog[] = [];
  let destroyed = 0;
  lab.takes(async (req, res) => {
    dialogs.push((await lab.app.createUAS(req, res, { localSdp: SDP })).on('destroy', () => (destroyed += 1)));
  });
  const phone = await lab.phone(ALICE);
  const call = phone.call(BOB);
  expect(await call.established).toBe(true);
  expect({ state: call.state, rang: await call.ringing }).toEqual({ state: 'answered', rang: false });
  await eventually(() => dialogs.length === 1);
  expect(dialogs[0]?.remote.sdp).toContain('m=audio 9 RTP/AVP 0');
  await eventually(() => lab.server.inUse().unacknowledged === 0);
  expect(lab.server.inUse().dialogs).toBe(1);
  if (side === 'app') await dialogs[0]?.destroy();
  else await call.hangUp();
  expect(await call.ended).toMatchObject({ by: side === 'app' ? 'remote' : 'local', status: 200 });
  expect({ destroyed, calls: phone.calls() }).toEqual({ destroyed: side === 'app' ? 0 : 1, calls: [] });
  expect(lab.server.inUse()).toMatchObject({ dialogs: 0, pendingInvites: 0 });
});

test.each([ALICE, `+${ALICE}`])(
  'the application calls %s by its connection, it rings, answers, and the app hangs up',
  async (number) => {
    const phone = await lab.registered(number);
    const provisional: number[] = [];
    const calling = lab.calls(
      { callingNumber: `+${BOB}` },
      { cbProvisional: ({ status }) => void provisional.push(status) },
    );
    const call = await nextCall(phone);
    await eventually(() => provisional.length === 1);
    expect({ provisional, state: call.state }).toEqual({ provisional: [180], state: 'ringing' });
    expect(call.invite).toMatchObject({ callId: call.id, callingNumber: BOB, calledNumber: ALICE, isAnonymous: false });
    expect(call.invite.text).toMatch(/^INVITE sip:12025550101@127\.0\.0\.1:\d+;transport=ws SIP\/2\.0\r\n/);
    expect(await call.answer()).toBe(true);
    const dialog = await calling;
    expect(dialog.remote.sdp).toContain('a=sendrecv');
    expect(call.ring() || call.reject(486)).toBe(false);
    await dialog.destroy();
    expect(await call.ended).toMatchObject({ by: 'remote', status: 200 });
  },
);

test('a phone rings, answers and hangs up at the times of its policy', async () => {
  const clock = new ManualClock();
  const phone = await lab.registered(ALICE, {
    clock,
    onIncoming: { action: 'answer', ringMs: 4_000, hangUpAfterMs: 90_000 },
  });
  const calling = lab.calls();
  const call = await nextCall(phone);
  expect(await call.ringing).toBe(true);
  clock.advance(3_999);
  expect(call.state).toBe('ringing');
  clock.advance(1);
  const dialog = await calling;
  expect(await call.established).toBe(true);
  const destroyed = heard(dialog, 'destroy');
  clock.advance(90_000);
  await destroyed;
  expect(await call.ended).toMatchObject({ by: 'local', status: 200 });
});

test.each([
  [{ action: 'busy' }, 486, 'Busy Here'],
  [{ action: 'reject', status: 603 }, 603, 'Decline'],
  [{ action: 'reject', status: 607 }, 607, 'Unwanted'],
  [{ action: 'reject', status: 608 }, 608, 'Rejected'],
  [{ action: 'reject', status: 480, reason: 'Gone fishing' }, 480, 'Gone fishing'],
] as const)('a phone with %j rejects calls with %i %s', async (onIncoming, status, reason) => {
  const phone = await lab.registered(ALICE, { onIncoming });
  const calling = lab.calls();
  await expect(calling).rejects.toMatchObject({ status, reason });
  expect(await (await nextCall(phone)).ended).toEqual({ by: 'local', status, reason });
});

test('a phone rejects with header fields of its own', async () => {
  const phone = await lab.registered(ALICE, {
    onIncoming: (call) => {
      call.reject(608, { headers: { 'Call-Info': '<https://carrier.example/why>; purpose=jwscard' } });
      return { action: 'ignore' };
    },
  });
  const calling = lab.calls();
  const error = (await calling.catch((cause: unknown) => cause)) as {
    readonly status: number;
    readonly res: AppRequest;
  };
  expect([error.status, error.res.get('Call-Info')]).toEqual([608, '<https://carrier.example/why>; purpose=jwscard']);
  expect(phone.calls()).toEqual([]);
});

test('an INVITE that requires what a phone cannot is refused with 420, and is no call', async () => {
  const phone = await lab.registered(ALICE, { onIncoming: { action: 'answer' } });
  const headers = { Require: '100rel' };
  const calling = lab.calls({ headers });
  const error = (await calling.catch((cause: unknown) => cause)) as {
    readonly status: number;
    readonly res: AppRequest;
  };
  expect([error.status, error.res.get('Unsupported'), phone.calls().length]).toEqual([420, '100rel', 0]);
});

test('a phone that ignores calls sends no response until its user decides', async () => {
  const phone = await lab.registered(ALICE, { onIncoming: { action: 'ignore' } });
  const provisional: number[] = [];
  const calling = lab.calls({}, { cbProvisional: ({ status }) => void provisional.push(status) });
  const call = await nextCall(phone);
  expect(call.state).toBe('calling');
  expect(() => call.reject(200)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect([call.reject(604), call.reject(604), await call.answer()]).toEqual([true, false, false]);
  await expect(calling).rejects.toMatchObject({ status: 604, reason: 'Does Not Exist Anywhere' });
  expect({ provisional, rang: await call.ringing }).toEqual({ provisional: [], rang: false });
});

test('a phone cannot connect to an address without a WebSocket server', async () => {
  const { host, port } = lab.server.control;
  const refused = Phone.open({ server: 'ws://127.0.0.1:1', number: ALICE, domain: DOMAIN });
  await expect(refused).rejects.toMatchObject({ code: 'network-failed', retryable: true });
  const noWebSocket = Phone.open({ server: `ws://${host}:${port}`, number: ALICE, domain: DOMAIN });
  await expect(noWebSocket).rejects.toMatchObject({ code: 'network-failed' });
});

test('a policy that throws answers 500 and tells the log', async () => {
  const log: PhoneLogEntry[] = [];
  await lab.registered(ALICE, {
    log: (entry) => log.push(entry),
    onIncoming: () => {
      throw new TypeError('a bug of the test');
    },
  });
  const calling = lab.calls();
  await expect(calling).rejects.toMatchObject({ status: 500 });
  expect(log.find(({ event }) => event === 'policy-failed')?.cause).toBeInstanceOf(TypeError);
});

test('a call is cancelled by the application while the phone rings', async () => {
  const phone = await lab.registered(ALICE, { onIncoming: { action: 'ring' } });
  let sent: AppRequest | undefined;
  const calling = lab.calls({}, { cbRequest: (_error, req) => void (sent = req) });
  const call = await nextCall(phone);
  expect(await call.ringing).toBe(true);
  await eventually(() => sent !== undefined);
  sent?.cancel();
  await expect(calling).rejects.toMatchObject({ status: 487 });
  const end = await call.ended;
  expect(end).toMatchObject({ by: 'remote', status: 487 });
  expect(end.text).toMatch(/^CANCEL /);
  expect(await call.answer()).toBe(false);
});

test('a phone cancels its call while it rings, by hand and when its time is up', async () => {
  const clock = new ManualClock();
  let cancelled = 0;
  lab.takes((req, res) => {
    req.on('cancel', () => (cancelled += 1));
    res.send(180);
  });
  const phone = await lab.phone(ALICE, { clock });
  const first = phone.call(BOB);
  expect(await first.ringing).toBe(true);
  await first.hangUp();
  expect(await first.ended).toMatchObject({ by: 'local', status: 487 });
  const second = phone.call(`sip:${BOB}@elsewhere.example`, { timeoutMs: 30_000 });
  expect(await second.ringing).toBe(true);
  clock.advance(30_000);
  expect(await second.ended).toMatchObject({ by: 'local', status: 487, reason: 'Request Terminated' });
  expect({ established: await second.established, cancelled }).toEqual({ established: false, cancelled: 2 });
  expect(clock.pendingTimers()).toBe(0);
});

test('a call that is hung up before anything was sent ends', async () => {
  const phone = await lab.phone(ALICE);
  const call = phone.call(BOB);
  await call.hangUp();
  expect(await call.ended).toMatchObject({ by: 'local', status: 487 });
});

test('a call that the application refuses tells with which response', async () => {
  lab.takes((_req, res) => res.send(607, { headers: { Reason: 'SIP;cause=607' } }));
  const phone = await lab.phone(ALICE);
  const end = await phone.call(BOB).ended;
  expect(end).toMatchObject({ by: 'remote', status: 607, reason: 'Unwanted' });
  expect(end.text).toContain('Reason: SIP;cause=607\r\n');
});

test('a phone answers the challenge of a proxy to its INVITE', async () => {
  const invites: AppRequest[] = [];
  lab.takes((req, res) => {
    invites.push(req);
    if (req.get('Proxy-Authorization') !== undefined) res.send(486);
    else
      res.send(407, { headers: { 'Proxy-Authenticate': 'Digest realm="phones.example", nonce="n1", algorithm=MD5' } });
  });
  const phone = await lab.phone(ALICE, { credentials: { username: 'alice', password: 'x' } });
  const call = phone.call(BOB);
  expect(await call.ended).toMatchObject({ by: 'remote', status: 486 });
  expect(invites.map((req) => req.get('Call-ID'))).toEqual([call.id, call.id]);
});

test('an INVITE carries the header fields and the calling number that it was given', async () => {
  const invites: AppRequest[] = [];
  lab.takes((req, res) => {
    invites.push(req);
    res.send(486);
  });
  const phone = await lab.phone(ALICE, { displayName: 'Alice' });
  await phone.call(BOB, { headers: { 'P-Asserted-Identity': `<sip:+${ALICE}@${DOMAIN}>` } }).ended;
  await phone.call(BOB, { callingNumber: '+18005550100' }).ended;
  expect(invites[0]?.get('P-Asserted-Identity')).toBe(`<sip:+${ALICE}@${DOMAIN}>`);
  expect(invites[0]?.get('From')).toMatch(/^"Alice" <sip:12025550101@phones\.example>;tag=/);
  expect(invites[1]?.get('From')).toContain('<sip:+18005550100@phones.example>');
});

test('two Identity headers, one of 7 KiB, arrive at the phone byte for byte', async () => {
  const identities = [
    `eyJhbGciOiJFUzI1NiJ9.${'e'.repeat(7 * 1024)}.sig;info=<https://certs.example/a.pem>;alg=ES256;ppt=shaken`,
    'eyJhbGciOiJFUzI1NiJ9.e30.sig2;info=<https://certs.example/b.pem>;alg=ES256;ppt="div"',
  ];
  lab.takes(async (req) => {
    await lab.app.proxyRequest(req, lab.route(req.calledNumber), { remainInDialog: true });
  });
  const alice = await lab.phone(ALICE);
  const bob = await lab.registered(BOB, { onIncoming: { action: 'reject', status: 607 } });
  const call = alice.call(BOB, { headers: { Identity: identities } });
  const { invite } = await nextCall(bob);
  expect(invite.identityHeaders).toEqual(identities);
  expect(invite.text.match(/^Identity: /gm)).toHaveLength(2);
  expect(await call.ended).toMatchObject({ by: 'remote', status: 607 });
});

test('an application changes and asks within the call, and asks a phone to call elsewhere in vain', async () => {
  const phone = await lab.registered(ALICE, { onIncoming: { action: 'answer' } });
  const dialog = await lab.calls();
  expect(await dialog.modify(SDP.replace('sendrecv', 'sendonly'))).toContain('a=recvonly');
  const info = await dialog.request({ method: 'INFO', body: 'x', headers: { 'Content-Type': 'text/plain' } });
  const refer = await dialog.request({ method: 'REFER', headers: { 'Refer-To': '<sip:19005550100@evil.example>' } });
  expect({ info: info.status, refer: refer.status, calls: phone.calls().length }).toEqual({
    ...{ info: 200, refer: 603, calls: 1 },
  });
  await dialog.destroy();
});

test('a subscriber blocks and reports what its rule forbids, and lets a known contact through', async () => {
  const clock = new ManualClock();
  const reported: AppReport[] = [];
  await using subscriber = await BlockingSubscriber.open({
    ...{ server: lab.ws(), number: ALICE, domain: DOMAIN, clock, transcript: 'your warranty' },
    rule: { knownContacts: ['(202) 555-0142'], neighbourDigits: 7, blockAnonymous: true },
    onReport: (report) => reported.push(report),
  });
  await subscriber.phone.register();
  const from = (callingNumber: string, headers: Record<string, string> = {}): Promise<AppDialog> =>
    lab.calls({ callingNumber, headers });

  await expect(from('+12025550123', { Identity: 'eyJ..sig' })).rejects.toMatchObject({ status: 607 });
  await expect(
    from('+18005550100', {
      'P-Asserted-Identity': '<sip:+18005550100;verstat=TN-Validation-Failed@a.example;user=phone>',
    }),
  ).rejects.toMatchObject({ status: 607, reason: 'Unwanted' });
  await expect(from('ignored', { From: '"Anonymous" <sip:anonymous@anonymous.invalid>' })).rejects.toMatchObject({
    status: 607,
  });
  const friend = await from('+12025550142');
  await friend.destroy();

  const reader = subscriber.reports();
  const { value: first } = await reader.next();
  expect(first).toEqual({
    ...{ atMs: clock.nowMs(), calledNumber: ALICE, callingNumber: '12025550123', callId: expect.any(String) as string },
    ...{ identityHeaders: ['eyJ..sig'], blockReason: 'neighbour-spoofing', status: 607, transcript: 'your warranty' },
  });
  expect(reported.map(({ blockReason, verstat }) => [blockReason, verstat])).toEqual([
    ['neighbour-spoofing', undefined],
    ['verstat-failed', 'TN-Validation-Failed'],
    ['anonymous', undefined],
  ]);
  expect(JSON.parse(JSON.stringify(first))).toEqual(first);
  await subscriber.close();
  const left: string[] = [];
  for await (const { blockReason } of reader) left.push(blockReason);
  expect(left).toEqual(['verstat-failed', 'anonymous']);
});

test.each([603, 608] as const)('a subscriber blocks with the status %i of its options', async (blockingStatus) => {
  await using subscriber = await BlockingSubscriber.open({
    ...{ server: lab.ws(), number: ALICE, domain: DOMAIN, blockingStatus },
    rule: { blockedPrefixes: ['1900'] },
  });
  await subscriber.phone.register();
  const calling = lab.calls({ callingNumber: '19005550100' });
  await expect(calling).rejects.toMatchObject({ status: blockingStatus });
});

test('a phone that closes hangs up, cancels, rejects and unregisters, and leaves nothing behind', async () => {
  const sockets = handles().length;
  const clock = new ManualClock();
  const timers = phoneTimers();
  lab.takes(async (req, res) => {
    if (req.calledNumber === '100') res.send(180);
    else if (req.calledNumber !== '300') await lab.app.createUAS(req, res, { localSdp: SDP });
  });
  const phone = await lab.registered(ALICE, { clock });
  const ringing = phone.call('100', { timeoutMs: 60_000 });
  const answered = phone.call('200', { hangUpAfterMs: 60_000 });
  phone.call('300');
  const refused = lab.calls().catch((e: unknown) => e);
  const incoming = await nextCall(phone);
  await Promise.all([ringing.ringing, answered.established]);
  const waiting = phone.incoming().next();
  expect(timers().length).toBeGreaterThan(2);
  await phone.close();
  expect(timers()).toEqual([]);
  expect(await ringing.ended).toMatchObject({ by: 'local', status: 487 });
  expect(await answered.ended).toMatchObject({ by: 'local', status: 200 });
  expect(await incoming.ended).toMatchObject({ by: 'local', status: 480 });
  expect(await refused).toMatchObject({ status: 480 });
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect({ timers: clock.pendingTimers(), known: lab.bindings.size }).toEqual({ timers: 0, known: 0 });
  await eventually(() => lab.server.inUse().connections === 0);
  expect(lab.server.inUse()).toMatchObject({ dialogs: 0, pendingInvites: 0, outgoing: 0, unacknowledged: 0 });
  expect(() => phone.call(BOB)).toThrow(expect.objectContaining({ code: 'closed' }));
  await expect(phone.register()).rejects.toMatchObject({ code: 'closed' });
  await eventually(() => handles().length <= sockets);
});

test('calls end when the server dies, nothing is tried again, and the phone still closes', async () => {
  const server = await DrachtioServer.open({ listen: [{ transport: 'ws', host: '127.0.0.1', port: 0 }] });
  const log: PhoneLogEntry[] = [];
  const { host, port } = server.listening[0]!;
  const phone = await Phone.open({
    ...{ server: `ws://${host}:${port}`, number: ALICE, domain: DOMAIN, log: (entry) => log.push(entry) },
  });
  // Nobody routes REGISTER there: it is answered by the server, the INVITE too.
  await expect(phone.register()).rejects.toMatchObject({ code: 'unavailable', details: { status: 503 } });
  expect(await phone.call(BOB).ended).toMatchObject({ by: 'remote', status: 503 });
  await server.close();
  await eventually(() => !phone.isConnected());
  expect(() => phone.call(BOB)).toThrow(expect.objectContaining({ code: 'network-failed' }));
  await expect(phone.register()).rejects.toMatchObject({ code: 'network-failed' });
  expect(log.map(({ event }) => event)).toEqual([
    ...['connected', 'registration-failed', 'call-ended', 'connection-lost'],
  ]);
  await phone.close();
});

/** A server that takes WebSockets and says what a test tells it to. */
async function bareServer(): Promise<{ readonly server: WebSocketServer; readonly address: string }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  return { server, address: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a phone closes also when the server answers nothing and does not say goodbye', async () => {
  const { server, address } = await bareServer();
  server.on('connection', (socket) => socket.pause());
  const phone = await Phone.open({ server: address, number: ALICE, domain: DOMAIN });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const registering = phone.register().catch((cause: unknown) => cause);
    const call = phone.call(BOB);
    // The INVITE goes out.
    await turn();
    const closing = phone.close();
    await vi.advanceTimersByTimeAsync(GOODBYE_MS);
    await vi.advanceTimersByTimeAsync(1_000);
    await closing;
    expect(await registering).toMatchObject({ code: 'closed' });
    expect(await call.ended).toMatchObject({ by: 'network', status: 503 });
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
    for (const client of server.clients) client.terminate();
    server.close();
    await once(server, 'close');
  }
});

test('a phone survives whatever a server sends', async () => {
  const { server, address } = await bareServer();
  const answers: string[] = [];
  server.on('connection', (socket) => {
    socket.on('message', (data) => answers.push((data as Buffer).toString().split('\r\n')[0] ?? ''));
    const via = 'Via: SIP/2.0/WS 127.0.0.1:1;branch=z9hG4bK1\r\n';
    const rest = 'To: <sip:12025550101@x>\r\nFrom: <sip:1@x>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n';
    for (const text of [
      ...[
        '',
        '\r\n',
        '\0',
        'garbage',
        'garbage\r\n\r\n',
        'SIP/2.0 180 Ringing',
        'SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n',
      ],
      `SIP/2.0 999 Odd\r\n${via}${rest}\r\n`,
      `SIP/2.0 200 OK\r\n${via}${rest}\r\n`,
      `INVITE sip:12025550101@x SIP/2.0\r\n${via}\r\n`,
      `INVITE tel:+12025550101 SIP/2.0\r\n${via}${rest}\r\n`,
      `BYE sip:12025550101@x SIP/2.0\r\n${via}${rest}\r\n`,
      `CANCEL sip:12025550101@x SIP/2.0\r\n${via}${rest}\r\n`,
      `ACK sip:12025550101@x SIP/2.0\r\n${via}${rest}\r\n`,
      `REGISTER sip:12025550101@x SIP/2.0\r\n${via}${rest}\r\n`,
      `INVITE sip:12025550101@x SIP/2.0\r\n${via}${rest}Contact: <sip:1@x>\r\nContent-Length: 99\r\n\r\n`,
      // A transaction of its own: an INVITE above may still wait for its ACK, and this one would be its retransmission.
      `INVITE sip:12025550101@x SIP/2.0\r\n${via.replace('bK1', 'bK2')}${rest.replace('Call-ID: 1', 'Call-ID: 2')}Contact: <sip:1@x>\r\n\r\n`,
    ]) {
      socket.send(text);
    }
    socket.send(Buffer.from([0xff, 0xfe, 0x00]));
  });
  const phone = await Phone.open({ server: address, number: ALICE, domain: DOMAIN, onIncoming: { action: 'busy' } });
  await eventually(() => answers.includes('SIP/2.0 486 Busy Here'));
  expect(phone.isConnected()).toBe(true);
  await phone.close();
  server.close();
  await once(server, 'close');
});

test('answered and ringing calls are lost with the connection, and a phone that may reconnects and registers', async () => {
  const clock = new ManualClock();
  let port = 0;
  const start = async (): Promise<DrachtioServer> => {
    const server = await DrachtioServer.open({ listen: [{ transport: 'ws', host: '127.0.0.1', port }] });
    port = server.listening[0]!.port;
    return server;
  };
  const registered: AppRequest[] = [];
  const setUp = (srf: AppSrf): void => {
    srf.register((req, res) => {
      registered.push(req);
      res.send(200, { headers: { Contact: req.get('Contact') ?? '' } });
    });
    srf.invite((req, res) => {
      if (req.calledNumber === '100') res.send(180);
      else void srf.createUAS(req, res, { localSdp: SDP });
    });
  };
  const first = await start();
  const app = await connectApp(first, { setUp });
  const phone = await Phone.open({
    server: `ws://127.0.0.1:${port}`,
    number: ALICE,
    domain: DOMAIN,
    clock,
    reconnectMs: 500,
  });
  await phone.register();
  const calls = [phone.call('100'), phone.call('200')];
  await Promise.all([calls[0]?.ringing, calls[1]?.established]);
  await first.close();
  await app.close();
  for (const call of calls) expect(await call.ended).toMatchObject({ by: 'network', status: 503 });
  expect({ connected: phone.isConnected(), registered: phone.isRegistered() }).toEqual({
    connected: false,
    registered: false,
  });
  clock.advance(500);
  await eventually(() => clock.pendingTimers() === 1);

  const second = await start();
  await using again = await connectApp(second, { setUp });
  clock.advance(500);
  await eventually(() => phone.isRegistered());
  expect(registered.map((req) => req.get('CSeq'))).toEqual(['1 REGISTER', '1 REGISTER']);
  await phone.close();
  expect(clock.pendingTimers()).toBe(0);
  await again.close();
  await second.close();
});
