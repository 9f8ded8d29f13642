import { STREAM_PIECE_BYTES } from './fault-settings.js';
import type { CutKind, RelayDirection, StreamSettings } from './fault-settings.js';
import { createSeededRandom } from './seeded-random.js';
import type { SeededRandom } from './seeded-random.js';

/** Bytes as they were read from one end of a connection. */
export interface StreamArrival {
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

/** Decides what happens to the bytes of one direction of one connection. */
export interface StreamPlanner {
  readonly plan: (arrival: StreamArrival, settings: StreamSettings) => StreamPlan;
  /** When the end of the stream leaves: not before its bytes. */
  readonly end: (nowMs: number, settings: StreamSettings) => number;
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
): StreamPlanner {
  const random = createSeededRandom(seed, `streams/${connection.direction}/${connection.number}`);
  const line = createLine();
  let known: StreamSettings | undefined;
  let reach: Reach = { piece: undefined, untilCut: Number.POSITIVE_INFINITY, isCut: false };

  return {
    plan: ({ sizeBytes, nowMs }, settings) => {
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
    end: (nowMs, settings) => line.behind(nowMs + settings.delayMs),
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
  return { leftBytes, jitter, passBytes, isNew: true };
}

/** Without re-segmentation, what leaves at the same instant leaves in one write. */
function append(fragments: StreamFragment[], next: StreamFragment, { chunkBytes }: StreamSettings): void {
  const last = fragments.at(-1);
  if (last === undefined || last.atMs !== next.atMs || Number.isFinite(chunkBytes)) fragments.push(next);
  else fragments[fragments.length - 1] = { sizeBytes: last.sizeBytes + next.sizeBytes, atMs: last.atMs };
}

interface Line {
  /** When bytes that arrive now have left. */
  readonly place: (sizeBytes: number, nowMs: number, piece: Piece, settings: StreamSettings) => number;
  /** Now, or when the last bytes have left. */
  readonly behind: (nowMs: number) => number;
}

/** A line that sends one byte after the other: never out of order, and no faster than it may. */
function createLine(): Line {
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    place: (sizeBytes, nowMs, piece, settings) => {
      const ownMs = nowMs + settings.delayMs + piece.jitter * settings.jitterMs;
      const gapMs = piece.isNew && Number.isFinite(settings.chunkBytes) ? settings.chunkGapMs : 0;
      const startMs = Math.max(ownMs, lastMs + gapMs);
      lastMs = startMs + (sizeBytes * 1_000) / settings.bytesPerSecond;
      return lastMs;
    },
    behind: (nowMs) => Math.max(nowMs, lastMs),
  };
}
