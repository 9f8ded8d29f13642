import { DrachtioServer, type DrachtioServerOptions } from '@hopback/harness/drachtio';
import { ChaosRelay, SeededRandom, type DatagramFaults } from '../../harness/src/faults/index.js';
import { connectApp, onEnded, type AppDialog, type AppRequest, type AppResponse, type AppSrf } from './drachtio-app.js';
import { sdp } from './drachtio-sip-text.js';

/** How a call ends, by its number: of each ten seven, one, one and one, and every other one that is cancelled is answered meanwhile. */
export type CallKind = 'caller-hangs-up' | 'callee-hangs-up' | 'rejected' | 'cancelled' | 'cancel-crosses-answer';

/** What the call with a number does. */
export function kindOf(number: number): CallKind {
  const of10 = number % 10;
  if (of10 < 7) return 'caller-hangs-up';
  if (of10 === 7) return 'callee-hangs-up';
  if (of10 === 8) return 'rejected';
  return number % 20 === 9 ? 'cancelled' : 'cancel-crosses-answer';
}

/** A call from both sides. */
interface Call {
  readonly number: number;
  readonly kind: CallKind;
  readonly caller: Told;
  readonly callee: Told;
  readonly over: () => void;
}

/** Settings of {@link createChaosCalls}. */
export interface ChaosCallsOptions {
  readonly seed: number;
  readonly faults: DatagramFaults;
  /** Time of the applications, the servers and the relays. */
  readonly clock: Clock;
  /** Further settings of both servers. */
  readonly server?: Omit<DrachtioServerOptions, 'clock' | 'listen' | 'cdrs'>;
  /** Packets of each relay that are recorded. */
  readonly recordLimit?: number;
}

type Clock = NonNullable<DrachtioServerOptions['clock']>;

/** Two servers with an application each, that reach each other by relays only. */
export type ChaosCalls = Awaited<ReturnType<typeof createChaosCalls>>;

/** Longest time that a call rings, and that it goes on. */
const MAX_PHASE_MS = 200;
/** A caller that hears no ringing cancels so long after its INVITE. */
const IMPATIENCE_MS = 1_000;
/** Within how much time around the answer the CANCEL of the crossing kind leaves: thrice as long as an answer is under way. */
const CROSSING_MS = 60;

/** Opens servers, relays and applications. */
export async function createChaosCalls(options: ChaosCallsOptions) {
  const { seed, faults, clock, recordLimit = 0 } = options;
  const open = (): Promise<DrachtioServer> => DrachtioServer.open({ ...options.server, clock, cdrs: true });
  const [callerServer, calleeServer] = await Promise.all([open(), open()]);
  const relayTo = (server: DrachtioServer, ownSeed: number): Promise<ChaosRelay<'udp'>> => {
    const target = { host: '127.0.0.1', port: server.listening[0]?.port ?? 0 };
    return ChaosRelay.open({ protocol: 'udp', target, seed: ownSeed, faults, clock, recordLimit });
  };
  const [toCallee, toCaller] = await Promise.all([relayTo(calleeServer, seed), relayTo(callerServer, seed + 1)]);

  const calls = new Map<number, Call>();
  const strays: string[] = [];
  const find = (callId: string | undefined): Call | undefined => calls.get(Number(callId?.replace(PREFIX, '')));
  const watch = (side: Side, srf: AppSrf): void => watchStrays(side, srf, { find, strays });
  const callerApp = await connectApp(callerServer, { setUp: (srf) => watch('caller', srf) });
  const calleeApp = await connectApp(calleeServer, {
    setUp: (srf) => {
      watch('callee', srf);
      srf.invite((req, res) => {
        const call = find(req.get('Call-ID'));
        if (call === undefined) strays.push(`INVITE of no call: ${req.get('Call-ID') ?? ''}`);
        else answer({ call, srf, clock, seed, contact: contactAt(toCallee) }, req, res);
      });
    },
  });
  const caller = { srf: callerApp.srf, clock, seed, contact: contactAt(toCaller) };
  const uri = `sip:callee@127.0.0.1:${toCallee.address.port}`;

  return {
    servers: [callerServer, calleeServer] as const,
    /** Both directions of a call take the relay of the side that was called. */
    relays: [toCallee, toCaller] as const,
    /** Makes the call with a number; resolves when both sides say that it is over, which may be never. */
    call: (number: number): Promise<void> =>
      new Promise((resolve) => {
        const call: Call = {
          ...{ number, kind: kindOf(number), caller: nothingTold(), callee: nothingTold() },
          over: () => {
            if (call.caller.isOver && call.callee.isOver) resolve();
          },
        };
        calls.set(number, call);
        make({ ...caller, call }, uri);
      }),
    /** One line for each faulty call, and for each event that belongs to no call. */
    wrong: (): readonly string[] => [
      ...[...calls.values()].flatMap((call) => {
        const why = wrongOf(call);
        return why.length === 0 ? [] : [`call ${call.number} (${call.kind}): ${why.join(', ')}`];
      }),
      ...strays,
    ],
    /** How the calls ended whose CANCEL and answer may cross. */
    crossed: () => {
      const crossing = [...calls.values()].filter(({ kind }) => kind === 'cancel-crosses-answer');
      const count = (is: (caller: Told) => boolean): number => crossing.filter(({ caller: told }) => is(told)).length;
      return {
        cancelled: count(({ finals }) => finals[0] === 487),
        ended: count(({ ended }) => ended > 0),
        hungUp: count(({ hungUp }) => hungUp > 0),
      };
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await Promise.all([callerApp.close(), calleeApp.close()]);
      await Promise.all([callerServer.close(), calleeServer.close(), toCallee.close(), toCaller.close()]);
    },
  };
}

const PREFIX = 'chaos-';

type Side = 'caller' | 'callee';

/** What one of the two applications was told of a call. */
type Told = ReturnType<typeof nothingTold>;

function nothingTold() {
  return {
    /** INVITEs at the callee, and final responses at the caller. */
    ...{ invites: 0, finals: [] as number[], cancels: 0 },
    /** Dialogs, ACKs, dialogs that the other side ended, and that this side ended. */
    ...{ established: 0, acknowledged: 0, ended: 0, hungUp: 0 },
    /** Call detail records: attempt, start, stop. */
    records: [0, 0, 0] as [attempts: number, starts: number, stops: number],
    /** What should not have happened at all. */
    ...{ troubles: [] as string[], isOver: false },
  };
}

function contactAt({ address }: ChaosRelay<'udp'>): string {
  return `<sip:${address.host}:${address.port}>`;
}

interface Part {
  readonly call: Call;
  readonly srf: AppSrf;
  readonly clock: Clock;
  readonly seed: number;
  readonly contact: string;
}

/** Numbers of a call's own, so that what it does does not depend on the others. */
function draws({ seed, call }: Part): Readonly<Record<'ringMs' | 'talkMs' | 'lateMs', number>> {
  const random = new SeededRandom(seed, `call ${call.number}`);
  return {
    ringMs: random.int(MAX_PHASE_MS),
    talkMs: random.int(MAX_PHASE_MS),
    lateMs: random.int(CROSSING_MS) - CROSSING_MS / 2,
  };
}

/** The caller's side. */
function make(part: Part, uri: string): void {
  const { call, srf, clock, contact } = part;
  const { kind, caller } = call;
  const { ringMs, talkMs, lateMs } = draws(part);
  let invite: AppRequest | undefined;
  let dialog: AppDialog | undefined;
  let isCancelling = false;
  /** Whether the server took the CANCEL; undefined where it has not said so yet. */
  let isTaken: boolean | undefined;
  const cancel = (): void => {
    if (isCancelling || invite === undefined || caller.finals.length > 0) return;
    isCancelling = true;
    invite.cancel({}, (error) => {
      isTaken = error === null || error === undefined;
      if (!isTaken && dialog !== undefined) hangUp(call, 'caller', dialog);
    });
  };
  const cbRequest = (error: unknown, sent: AppRequest): void => {
    if (error !== null && error !== undefined) return;
    invite = sent;
    sent.on('response', ({ status }: AppResponse) => {
      if (status >= 200) caller.finals.push(status);
    });
    if (kind === 'cancelled') clock.schedule(cancel, IMPATIENCE_MS);
    if (kind === 'cancel-crosses-answer') clock.schedule(cancel, Math.max(0, ringMs + lateMs));
  };
  const cbProvisional = ({ status }: AppResponse): void => {
    if (kind === 'cancelled' && status === 180) cancel();
  };
  const options = { localSdp: sdp(), headers: { 'Call-ID': PREFIX + call.number, Contact: contact } };
  srf.createUAC(uri, options, { cbRequest, cbProvisional }).then(
    (made) => {
      dialog = made;
      caller.established += 1;
      hearEnd(call, 'caller', made);
      if (kind === 'caller-hangs-up') clock.schedule(() => hangUp(call, 'caller', made), talkMs);
      // Answered before there was anything to cancel, or too late to: the caller does not want the call.
      else if (kind !== 'callee-hangs-up' && (!isCancelling || isTaken === false)) hangUp(call, 'caller', made);
    },
    (error: unknown) => {
      if (caller.finals.length === 0) caller.troubles.push(String(error));
      isOver(call, 'caller');
    },
  );
}

/** The callee's side. */
function answer(part: Part, req: AppRequest, res: AppResponse): void {
  const { call, srf, clock, contact } = part;
  const { kind, callee } = call;
  const { ringMs, talkMs } = draws(part);
  callee.invites += 1;
  if (callee.invites > 1) return;
  req.on('cancel', () => {
    callee.cancels += 1;
    isOver(call, 'callee');
  });
  if (kind === 'rejected') {
    res.send(486);
    isOver(call, 'callee');
    return;
  }
  res.send(180);
  if (kind === 'cancelled') return;
  const accept = (): void => {
    if (callee.cancels > 0) return;
    srf.createUAS(req, res, { localSdp: sdp('2'), headers: { Contact: contact } }).then(
      (dialog) => {
        callee.established += 1;
        hearEnd(call, 'callee', dialog);
        dialog.on('ack', () => {
          callee.acknowledged += 1;
          if (kind === 'callee-hangs-up') clock.schedule(() => hangUp(call, 'callee', dialog), talkMs);
        });
      },
      (error: unknown) => {
        if (kind !== 'cancel-crosses-answer') callee.troubles.push(String(error));
        // The answer was on its way to the server when the CANCEL came: drachtio-srf tells that by this error alone.
        callee.cancels = Math.max(1, callee.cancels);
        isOver(call, 'callee');
      },
    );
  };
  clock.schedule(accept, ringMs);
}

function hearEnd(call: Call, side: Side, dialog: AppDialog): void {
  onEnded(dialog, () => {
    call[side].ended += 1;
    isOver(call, side);
  });
}

function hangUp(call: Call, side: Side, dialog: AppDialog): void {
  if (!dialog.connected) return;
  dialog.destroy().then(
    () => {
      call[side].hungUp += 1;
      isOver(call, side);
    },
    (error: unknown) => {
      call[side].troubles.push(String(error));
      isOver(call, side);
    },
  );
}

function isOver(call: Call, side: Side): void {
  call[side].isOver = true;
  call.over();
}

/** Hears records, and requests that belong to no dialog and so should not come at all. */
function watchStrays(
  side: Side,
  srf: AppSrf,
  { find, strays }: { readonly find: (callId: string | undefined) => Call | undefined; readonly strays: string[] },
): void {
  for (const method of [
    'bye',
    'info',
    'update',
    'prack',
    'message',
    'options',
    ...(side === 'caller' ? ['invite'] : []),
  ]) {
    srf.use(method, (req, res) => {
      const call = find(req.get('Call-ID'));
      if (call === undefined) strays.push(`${req.method} of no call`);
      else call[side].troubles.push(`a stray ${req.method} at the ${side}`);
      res.send(481);
    });
  }
  for (const [index, event] of (['cdr:attempt', 'cdr:start', 'cdr:stop'] as const).entries()) {
    srf.on(event, (...parts: readonly unknown[]) => {
      const call = find((parts.at(-1) as Pick<AppRequest, 'get'>).get('Call-ID'));
      if (call === undefined) strays.push(`${event} of no call`);
      else call[side].records[index as 0] += 1;
    });
  }
}

/** What is not as it should be with a call. */
function wrongOf({ kind, caller, callee }: Call): readonly string[] {
  const wrong = [...caller.troubles, ...callee.troubles];
  const expect = (what: string, is: number, ...allowed: readonly number[]): void => {
    if (!allowed.includes(is)) wrong.push(`${what}: ${is} and not ${allowed.join(' or ')}`);
  };
  expect('final responses', caller.finals.length, 1);
  expect('INVITEs', callee.invites, 1);
  const [final = 0] = caller.finals;
  expect('final response', final, ...FINALS[kind]);
  const isUp = final === 200 ? 1 : 0;
  expect('calls up at the caller', caller.established, isUp);
  expect('calls up at the callee', callee.established, isUp);
  expect('CANCELs', callee.cancels, final === 487 ? 1 : 0);
  // A BYE may overtake the ACK; then nobody waits for it any more.
  expect('ACKs', callee.acknowledged, ...(kind === 'callee-hangs-up' ? [1] : isUp === 1 ? [0, 1] : [0]));
  const callerEnds = kind === 'callee-hangs-up' ? 0 : isUp;
  expect('ends at the callee', callee.ended, callerEnds);
  expect('BYEs of the callee', callee.hungUp, isUp - callerEnds);
  // Of a CANCEL that crossed the answer the server makes a BYE by itself, and tells the caller so.
  expect('ends of the caller', caller.ended + caller.hungUp, isUp);
  if (kind !== 'cancel-crosses-answer') expect('BYEs of the caller', caller.hungUp, callerEnds);
  for (const [side, { records }] of [['caller', caller] as const, ['callee', callee] as const]) {
    expect(`attempts recorded at the ${side}`, records[0], 1);
    expect(`starts recorded at the ${side}`, records[1], isUp);
    expect(`stops recorded at the ${side}`, records[2], 1);
  }
  return wrong;
}

const FINALS: Readonly<Record<CallKind, readonly number[]>> = {
  'caller-hangs-up': [200],
  'callee-hangs-up': [200],
  rejected: [486],
  cancelled: [487],
  'cancel-crosses-answer': [200, 487],
};
