import type { SeenCall, SeenHop } from '../../oracle/index.js';
import { createDrachtioServer } from '../../drachtio/index.js';
import { CALL_FIELD, connectSrf, SILENT_SDP, UNAVAILABLE } from '../node/index.js';
import type { SrfDialog, SrfMessage, SrfRequest } from '../node/index.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';

/** What the caller's side saw of a call. */
export type CallerView = Omit<SeenCall, 'hops' | 'shownVerstat'>;

/** Whoever calls: the exchanges of all customers, in one. */
export interface Callers {
  /** Places a call at an address, and stays with it until it is over; undefined: nobody is there. Never rejects. */
  readonly place: (call: PlannedCall, address: string | undefined) => Promise<CallerView>;
  readonly close: () => Promise<void>;
}

/** A caller who hears nothing gives up, milliseconds: after as many seconds nobody rings any longer. */
const CALLER_PATIENCE_MS = 10_000;
/** Whoever is to hang up and does not is hung up on, so much later, milliseconds. */
const LATE_HANG_UP_MS = 3_000;
/** Time for the answer to a CANCEL or BYE, milliseconds. */
const GOODBYE_MS = 2_000;
const ANSWERED = 200;

/** Whether the caller hangs up, or the callee does. Callers that are somebody else's programs always do. */
export function endsOf({ externalCallers = [] }: Pick<NetworkPlan, 'externalCallers'>): (call: PlannedCall) => boolean {
  const external = new Set(externalCallers);
  return ({ index, caller }) => index % 2 === 0 || external.has(caller);
}

/** Of calls that we place. */
const isEndedByCaller = endsOf({});

/** Opens the exchange. */
export async function openCallers(): Promise<Callers> {
  const server = await createDrachtioServer();
  const app = await connectSrf(server.control);
  const place: Callers['place'] = async (call, address) => {
    const placedAtMs = Date.now();
    const startedAt = performance.now();
    let request: SrfRequest | undefined;
    let reasons: readonly string[] = [];
    const hear = (message: SrfMessage | undefined): void => {
      if (message !== undefined) reasons = [...new Set([...reasons, ...reasonsOf(message)])];
    };
    const giveUp = setTimeout(() => request?.cancel(), CALLER_PATIENCE_MS);
    const seen = (finalStatus: number | undefined): CallerView => ({
      ...{ index: call.index, placedAtMs, setupMs: performance.now() - startedAt, reasons },
      ...(finalStatus !== undefined && { finalStatus }),
    });
    if (address === undefined) {
      clearTimeout(giveUp);
      return seen(UNAVAILABLE);
    }
    const callbacks = {
      cbRequest: (...parts: readonly unknown[]) => {
        request = parts[1] as SrfRequest | undefined;
      },
      cbProvisional: hear,
    };
    const options = { localSdp: SILENT_SDP, headers: headersOf(call) };
    try {
      const dialog = await app.srf.createUAC(`sip:+${call.called}@${address}`, options, callbacks);
      clearTimeout(giveUp);
      hear(dialog.res);
      const view = seen(ANSWERED);
      await over(dialog, call);
      return view;
    } catch (error) {
      clearTimeout(giveUp);
      const { status, res } = error as { readonly status?: number; readonly res?: SrfMessage };
      hear(res);
      return seen(status);
    }
  };
  return {
    place,
    close: async () => {
      await app.close();
      await server.close();
    },
  };
}

const headersOf = ({ index, calling, called }: PlannedCall): Record<string, string> => ({
  From: `<sip:+${calling}@pbx.example>`,
  To: `<sip:+${called}@pbx.example>`,
  [CALL_FIELD]: `${String(index)} 0`,
});

/** Hangs up when it is time, or waits until the other side has. */
function over(dialog: SrfDialog, call: PlannedCall): Promise<void> {
  return new Promise((resolve) => {
    if (!dialog.connected) {
      resolve();
      return;
    }
    const hangUp = (): void => {
      const patience = setTimeout(resolve, GOODBYE_MS);
      const done = (): void => {
        clearTimeout(patience);
        resolve();
      };
      Promise.resolve(dialog.destroy())
        .catch(() => undefined)
        .finally(done);
    };
    const timer = setTimeout(hangUp, call.durationMs + (isEndedByCaller(call) ? 0 : LATE_HANG_UP_MS));
    dialog.once('destroy', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Values of Reason header fields. */
function reasonsOf({ raw }: SrfMessage): readonly string[] {
  const head = raw.split('\r\n\r\n', 1)[0] ?? '';
  return head.split('\r\n').flatMap((line) => (/^reason\s*:/i.test(line) ? [line.replace(/^[^:]*:\s*/, '')] : []));
}

/** What is known of a call at all its providers, the first hop first. */
export function hopsInOrder(notes: readonly { readonly hop: number; readonly seen: SeenHop }[]): readonly SeenHop[] {
  return notes.toSorted((one, other) => one.hop - other.hop || one.seen.atMs - other.seen.atMs).map(({ seen }) => seen);
}
