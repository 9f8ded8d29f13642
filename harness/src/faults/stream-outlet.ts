import type { Socket } from 'node:net';
import type { CutKind, RelayDirection } from './fault-settings.js';
import type { RelayLedger } from './relay-ledger.js';

/** What happens to the socket that bytes are written to: the bytes, the end of them, a cut, or a reset as the other socket had one. */
export type StreamEvent = Buffer | 'end' | 'reset' | { readonly cutAs: CutKind };

/** The way out of one direction of a connection. */
export interface StreamOutlet {
  /** Bytes are under way to {@link StreamOutlet.due}. */
  readonly expect: (bytes: number) => void;
  /** Takes an event that has fallen due, or keeps it while the direction is paused. */
  readonly due: (event: StreamEvent) => void;
  /** Lets go what was kept, unless it is paused still. */
  readonly release: () => void;
  /** Bytes under way or not yet taken by the kernel. */
  readonly pendingBytes: () => number;
  /** Drops what is under way and takes no more. */
  readonly abandon: () => void;
}

/** What an outlet is made with. */
export interface StreamOutletOptions {
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
export function createStreamOutlet(options: StreamOutletOptions): StreamOutlet {
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
    expect: (bytes) => {
      waiting.packets += 1;
      waiting.bytes += bytes;
    },
    due,
    release: () => {
      const events = kept;
      kept = [];
      for (const event of events) due(event);
    },
    pendingBytes: () => waiting.bytes + unflushedBytes,
    abandon: () => {
      isAbandoned = true;
      [kept, cutAs] = [[], undefined];
      ledger.dropped(direction, waiting.packets, waiting.bytes);
      [waiting.packets, waiting.bytes] = [0, 0];
    },
  };
}
