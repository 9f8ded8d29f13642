import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createDeliverySchedule } from './delivery-schedule.js';
import type { DeliverySchedule } from './delivery-schedule.js';
import { STREAM_PIECE_BYTES, STREAM_WINDOW_BYTES } from './fault-settings.js';
import type {
  PacketAction,
  RelayAddress,
  RelayContext,
  RelayDirection,
  RelayLedger,
  RelayTransport,
  StreamSettings,
} from './fault-settings.js';
import { SeededRandom } from './seeded-random.js';

/** How a connection is cut. */
type CutKind = StreamSettings['cutAs'];

/**
 * How long after the last bytes a reset is sent: libuv, and so every peer on Node, takes bytes and a reset that it meets together for
 * bytes and an orderly end.
 */
const RESET_GAP_MS: number = 2;

/** Closes a connection with RST and drops what was not sent; one that is being set up as soon as it is. */
function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.connecting) {
    socket.once('connect', () => resetSocket(socket));
    return;
  }
  // A reset while a FIN is on its way out is refused by libuv, and Node would leave the socket open.
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

/** Bytes as they were read from one end of a connection. */
interface StreamArrival {
  readonly sizeBytes: number;
  readonly nowMs: number;
}

/** Bytes that leave together. */
export interface StreamFragment {
  readonly sizeBytes: number;
  readonly atMs: number;
}

/** What becomes of bytes that were read: they leave in this order, and what the fragments do not cover is swallowed by a cut. */
export interface StreamPlan {
  readonly fragments: readonly StreamFragment[];
  /** When and how the connection is cut, behind the fragments. Absent where it goes on, and in every plan after the one that cuts it. */
  readonly cut?: { readonly atMs: number; readonly as: CutKind };
}

/** A stretch of the stream that shares one fate. */
interface Piece {
  leftBytes: number;
  readonly jitter: number;
  /** How many of its bytes pass before the connection is cut; infinity where it is not. */
  passBytes: number;
  /** Whether none of it has left yet. */
  isNew: boolean;
}

/**
 * Makes the state machine of one direction of the n-th connection. It has no clock and no sockets: the same seed, connection and
 * bytes under the same settings give pieces of the same length, jitter and fate, however the bytes are read. Settings that are
 * another object than those of the call before count as newly set: a new piece begins, and `cutAfterBytes` counts from there.
 */
export function createStreamPlanner(
  seed: number,
  connection: { readonly direction: RelayDirection; readonly number: number },
) {
  const random = new SeededRandom(seed, `streams/${connection.direction}/${connection.number}`);
  const line = createLine();
  let known: StreamSettings | undefined;
  let reach: Reach = { piece: undefined, untilCut: Number.POSITIVE_INFINITY, isCut: false };

  return {
    plan: ({ sizeBytes, nowMs }: StreamArrival, settings: StreamSettings): StreamPlan => {
      if (reach.isCut) return { fragments: [] };
      if (settings !== known) reach = { piece: undefined, untilCut: settings.cutAfterBytes, isCut: false };
      known = settings;
      const fragments: StreamFragment[] = [];
      for (let left = sizeBytes; left > 0 && !reach.isCut;) {
        if (reach.piece === undefined || reach.piece.leftBytes === 0) reach.piece = drawPiece(random, settings);
        const taken = take(reach, reach.piece, left);
        left -= taken;
        if (taken === 0) continue;
        append(fragments, { sizeBytes: taken, atMs: line.place(taken, nowMs, reach.piece, settings) }, settings);
        reach.piece.isNew = false;
      }
      if (!reach.isCut) return { fragments };
      return { fragments, cut: { atMs: line.behind(nowMs + settings.delayMs), as: settings.cutAs } };
    },
    /** When the end of the stream leaves: not before its bytes. */
    end: (nowMs: number, settings: StreamSettings) => line.behind(nowMs + settings.delayMs),
  };
}

/** How far a stream has come, and how far it may go. */
interface Reach {
  piece: Piece | undefined;
  untilCut: number;
  isCut: boolean;
}

/** How many of the bytes, at most `left`, belong to the piece and pass; it takes them off. */
function take(reach: Reach, piece: Piece, left: number): number {
  const taken = Math.min(left, piece.leftBytes, piece.passBytes, reach.untilCut);
  piece.leftBytes -= taken;
  piece.passBytes -= taken;
  reach.untilCut -= taken;
  reach.isCut = piece.passBytes === 0 || reach.untilCut === 0;
  return taken;
}

/** All of it is drawn for every piece, so that a fault more or less leaves the others where they were. */
function drawPiece(random: SeededRandom, { chunkBytes, cutRate }: StreamSettings): Piece {
  const [size, jitter, cut, cutAt] = [random.next(), random.next(), random.next(), random.next()];
  const leftBytes = Number.isFinite(chunkBytes) ? 1 + Math.floor(size * chunkBytes) : STREAM_PIECE_BYTES;
  const passBytes = cut < cutRate ? Math.floor(cutAt * leftBytes) : Number.POSITIVE_INFINITY;
  return {
    leftBytes,
    jitter,
    passBytes,
    isNew: true,
  };
}

/** Without re-segmentation, what leaves at the same instant leaves in one write. */
function append(fragments: StreamFragment[], next: StreamFragment, { chunkBytes }: StreamSettings): void {
  const last = fragments.at(-1);
  if (last === undefined || last.atMs !== next.atMs || Number.isFinite(chunkBytes)) fragments.push(next);
  else fragments[fragments.length - 1] = { sizeBytes: last.sizeBytes + next.sizeBytes, atMs: last.atMs };
}

/** A line that sends one byte after the other: never out of order, and no faster than it may. */
function createLine() {
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    /** When bytes that arrive now have left. */
    place: (sizeBytes: number, nowMs: number, piece: Piece, settings: StreamSettings) => {
      const ownMs = nowMs + settings.delayMs + piece.jitter * settings.jitterMs;
      const gapMs = piece.isNew && Number.isFinite(settings.chunkBytes) ? settings.chunkGapMs : 0;
      const startMs = Math.max(ownMs, lastMs + gapMs);
      lastMs = startMs + (sizeBytes * 1_000) / settings.bytesPerSecond;
      return lastMs;
    },
    /** Now, or when the last bytes have left. */
    behind: (nowMs: number) => Math.max(nowMs, lastMs),
  };
}

/** What happens to the socket that bytes are written to: the bytes, the end of them, a cut, or a reset as the other socket had one. */
type StreamEvent = Buffer | 'end' | 'reset' | { readonly cutAs: CutKind };

/** What an outlet is made with. */
interface StreamOutletOptions {
  readonly direction: RelayDirection;
  readonly to: Socket;
  readonly ledger: RelayLedger;
  readonly isPaused: () => boolean;
  /** Bytes have left. */
  readonly onFlushed: () => void;
  /** The socket is to be reset, as the one that was read from has been. */
  readonly onReset: () => void;
  /** The connection is to be cut; the bytes before have been written. */
  readonly onCut: (as: CutKind) => void;
}

/** Makes the outlet that writes to a socket. Errors of writing are counted as drops. */
function createStreamOutlet(options: StreamOutletOptions) {
  const { direction, to, ledger, isPaused, onFlushed, onReset, onCut } = options;
  const waiting = { packets: 0, bytes: 0 };
  let kept: StreamEvent[] = [];
  let unflushedBytes = 0;
  let cutAs: CutKind | undefined;
  let isAbandoned = false;

  /** Not before the kernel has the bytes: a reset would overtake them. */
  const cutWhenFlushed = (): void => {
    if (cutAs === undefined || unflushedBytes > 0) return;
    const as = cutAs;
    cutAs = undefined;
    onCut(as);
  };
  const write = (octets: Buffer): void => {
    waiting.packets -= 1;
    waiting.bytes -= octets.length;
    unflushedBytes += octets.length;
    to.write(octets, (error) => {
      unflushedBytes -= octets.length;
      if (error instanceof Error) ledger.dropped(direction, 1, octets.length);
      else ledger.delivered(direction, octets.length);
      cutWhenFlushed();
      onFlushed();
    });
  };
  const happen = (event: StreamEvent): void => {
    if (Buffer.isBuffer(event)) return write(event);
    if (event === 'end') return void to.end();
    if (event === 'reset') return onReset();
    cutAs = event.cutAs;
    cutWhenFlushed();
  };
  const due = (event: StreamEvent): void => {
    if (isAbandoned) return;
    if (isPaused()) kept.push(event);
    else happen(event);
  };

  return {
    /** Bytes are under way to `due`. */
    expect: (bytes: number) => {
      waiting.packets += 1;
      waiting.bytes += bytes;
    },
    /** Takes an event that has fallen due, or keeps it while the direction is paused. */
    due,
    /** Lets go what was kept, unless it is paused still. */
    release: () => {
      const events = kept;
      kept = [];
      for (const event of events) due(event);
    },
    /** Bytes under way or not yet taken by the kernel. */
    pendingBytes: () => waiting.bytes + unflushedBytes,
    /** Drops what is under way and takes no more. */
    abandon: () => {
      isAbandoned = true;
      [kept, cutAs] = [[], undefined];
      ledger.dropped(direction, waiting.packets, waiting.bytes);
      [waiting.packets, waiting.bytes] = [0, 0];
    },
  };
}

/** What happens in connections when it falls due. */
type StreamSchedule = DeliverySchedule<() => void>;

/** Moves the bytes of one direction of a connection. */
type StreamPump = ReturnType<typeof createStreamPump>;

/** What a pump is made with. */
interface StreamPumpOptions {
  readonly direction: RelayDirection;
  /** Number of the connection. */
  readonly source: number;
  readonly from: Socket;
  readonly to: Socket;
  readonly schedule: StreamSchedule;
  readonly onReset: () => void;
  readonly onCut: (as: CutKind) => void;
}

/** Makes the pump of one direction and begins to read. */
function createStreamPump(context: RelayContext<StreamSettings>, options: StreamPumpOptions) {
  const { clock, ledger, controls } = context;
  const { direction, source, from, to, schedule, onReset, onCut } = options;
  const planner = createStreamPlanner(context.seed, { direction, number: source });
  const isPaused = (): boolean => controls.isPaused[direction];
  let isAbandoned = false;
  let count = 0;

  /** Reads no further ahead than the window, and goes on when half of it is free. */
  const flow = (): void => {
    if (isPaused() || outlet.pendingBytes() >= STREAM_WINDOW_BYTES) from.pause();
    else if (from.isPaused() && outlet.pendingBytes() <= STREAM_WINDOW_BYTES / 2) from.resume();
  };
  const outlet = createStreamOutlet({
    direction,
    to,
    ledger,
    isPaused,
    onFlushed: flow,
    onReset,
    onCut,
  });
  const arrived = (sizeBytes: number, nowMs: number, atMs?: number): void => {
    const action: PacketAction = atMs === undefined ? 'cut' : atMs > nowMs ? 'delayed' : 'passed';
    const deliveriesMs = atMs === undefined ? [] : [atMs];
    ledger.arrived({
      direction,
      source,
      number: count++,
      action,
      sizeBytes,
      atMs: nowMs,
      deliveriesMs,
    });
  };
  const read = (octets: Buffer): void => {
    const nowMs = clock.nowMs();
    if (isAbandoned) return arrived(octets.length, nowMs);
    const plan = planner.plan({ sizeBytes: octets.length, nowMs }, controls.settings[direction]);
    let begin = 0;
    for (const { sizeBytes, atMs } of plan.fragments) {
      arrived(sizeBytes, nowMs, atMs);
      outlet.expect(sizeBytes);
      const piece = octets.subarray(begin, begin + sizeBytes);
      schedule.add(atMs, () => outlet.due(piece));
      begin += sizeBytes;
    }
    if (begin < octets.length) arrived(octets.length - begin, nowMs);
    const { cut } = plan;
    if (cut !== undefined) schedule.add(cut.atMs, () => outlet.due({ cutAs: cut.as }));
    flow();
  };
  /** Behind all bytes read so far. */
  const finish = (event: StreamEvent): void => {
    schedule.add(planner.end(clock.nowMs(), controls.settings[direction]), () => outlet.due(event));
  };

  from.on('data', read);
  from.once('end', () => finish('end'));
  flow();
  return {
    /** Reads or stops reading, and lets go what was kept, as the relay is paused or not. */
    pausedOrResumed: () => {
      outlet.release();
      flow();
    },
    /** The socket that is read from is broken: behind what was read from it the other end is reset. */
    breakOff: () => finish('reset'),
    /** Drops what is under way; what still comes is thrown away. */
    abandon: () => {
      isAbandoned = true;
      outlet.abandon();
      flow();
    },
  };
}

/** A connection through the relay: two sockets and a pump for each direction. */
type StreamConnection = ReturnType<typeof openStreamConnection>;

/** What a connection begins with. */
interface StreamConnectionOptions {
  readonly client: Socket;
  /** In order of appearance, from 0. */
  readonly number: number;
  readonly schedule: StreamSchedule;
}

/** Connects somebody who came to the target. Never throws; an error of one socket resets the other. */
function openStreamConnection(
  context: RelayContext<StreamSettings>,
  { client, number, schedule }: StreamConnectionOptions,
) {
  const { clock, ledger } = context;
  const { host, port } = context.target;
  const upstream = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const sockets = { toTarget: upstream, toSource: client };
  const reset = (socket: Socket): void => schedule.add(clock.nowMs() + RESET_GAP_MS, () => resetSocket(socket));
  const pump = (direction: RelayDirection, from: Socket): StreamPump =>
    createStreamPump(context, {
      direction,
      source: number,
      from,
      to: sockets[direction],
      schedule,
      onReset: () => reset(sockets[direction]),
      onCut: (as) => {
        ledger.count(direction, 'cut');
        CUTS[as](sockets[direction], { sockets: [client, upstream], abandon, reset });
      },
    });
  const pumps = { toTarget: pump('toTarget', client), toSource: pump('toSource', upstream) };
  const abandon = (): void => {
    pumps.toTarget.abandon();
    pumps.toSource.abandon();
  };
  upstream.on('error', () => {
    ledger.count('toTarget', 'errors');
    pumps.toTarget.abandon();
    pumps.toSource.breakOff();
  });
  client.on('error', () => {
    ledger.count('toSource', 'errors');
    pumps.toSource.abandon();
    pumps.toTarget.breakOff();
  });
  return {
    pausedOrResumed: () => {
      pumps.toTarget.pausedOrResumed();
      pumps.toSource.pausedOrResumed();
    },
    /** Drops everything at once. */
    destroy: () => {
      abandon();
      client.destroy();
      upstream.destroy();
    },
    /** Resolves when both sockets are closed. */
    closed: Promise.all([closing(client), closing(upstream)]).then(abandon),
  };
}

interface Both {
  readonly sockets: readonly Socket[];
  readonly abandon: () => void;
  readonly reset: (socket: Socket) => void;
}

/** What a cut does to the socket that its direction leads to, or to both. */
const CUTS: Readonly<Record<CutKind, (to: Socket, both: Both) => void>> = {
  reset: (_to, { sockets, abandon, reset }) => {
    abandon();
    for (const socket of sockets) reset(socket);
  },
  close: (_to, { sockets, abandon }) => {
    abandon();
    for (const socket of sockets) socket.end(() => void socket.destroy());
  },
  'half-close': (to) => void to.end(),
};

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

/** Starts a relay between TCP sockets. Rejects with the error of the socket that could not be bound. */
export async function startStreamRelay(context: RelayContext<StreamSettings>): Promise<RelayTransport> {
  const connections = new Set<StreamConnection>();
  const schedule = createDeliverySchedule<() => void>(context.clock, (happen) => happen());
  let count = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const connection = openStreamConnection(context, { client, number: count++, schedule });
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
  });
  server.maxConnections = context.maxSources;
  server.on('drop', () => context.ledger.count('toTarget', 'errors'));
  await listen(server, context.listen);
  // EMFILE and the like: nobody can be accepted for the moment.
  server.on('error', () => context.ledger.count('toTarget', 'errors'));
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    openSources: () => connections.size,
    pausedOrResumed: () => {
      for (const connection of connections) connection.pausedOrResumed();
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      const open = [...connections];
      for (const connection of open) connection.destroy();
      schedule.close();
      await Promise.all([closed, ...open.map((connection) => connection.closed)]);
    },
  };
}

function listen(server: Server, { host, port }: RelayAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
