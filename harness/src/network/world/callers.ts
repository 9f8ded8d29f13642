import type { SeenCall, SeenHop } from '../../oracle/index.js';
import { connectExchange, createDrachtioServer, valuesByName } from '../../drachtio/index.js';
import type { ExchangeCall, SipMessage } from '../../drachtio/index.js';
import { CALL_FIELD, SILENT_SDP, UNAVAILABLE } from '../node/index.js';
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
  const exchange = connectExchange(server);
  const place: Callers['place'] = async (call, address) => {
    const placedAtMs = Date.now();
    const startedAt = performance.now();
    let reasons: readonly string[] = [];
    const hear = (message: SipMessage): void => {
      const said = valuesByName(message, 'Reason');
      if (said.length > 0) reasons = [...new Set([...reasons, ...said])];
    };
    const seen = (finalStatus: number | undefined): CallerView => ({
      ...{ index: call.index, placedAtMs, setupMs: performance.now() - startedAt, reasons },
      ...(finalStatus !== undefined && { finalStatus }),
    });
    if (address === undefined) return seen(UNAVAILABLE);
    const uri = `sip:+${call.called}@${address}`;
    const placed = exchange.place({ uri, headers: headersOf(call), sdp: SILENT_SDP, onProvisional: hear });
    const giveUp = setTimeout(placed.cancel, CALLER_PATIENCE_MS);
    const { response, call: up } = await placed.outcome;
    clearTimeout(giveUp);
    if (response !== undefined) hear(response);
    const view = seen(response?.status);
    if (up !== undefined) await over(up, call);
    return view;
  };
  return {
    place,
    close: async () => {
      exchange.close();
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
function over(up: ExchangeCall, call: PlannedCall): Promise<void> {
  return new Promise((resolve) => {
    let isHangingUp = false;
    const hangUp = (): void => {
      isHangingUp = true;
      const patience = setTimeout(resolve, GOODBYE_MS);
      void up.hangUp().then(() => {
        clearTimeout(patience);
        resolve();
      });
    };
    const timer = setTimeout(hangUp, call.durationMs + (isEndedByCaller(call) ? 0 : LATE_HANG_UP_MS));
    up.onOver(() => {
      clearTimeout(timer);
      if (!isHangingUp) resolve();
    });
  });
}

/** What is known of a call at all its providers, the first hop first. */
export function hopsInOrder(notes: readonly { readonly hop: number; readonly seen: SeenHop }[]): readonly SeenHop[] {
  return notes.toSorted((one, other) => one.hop - other.hop || one.seen.atMs - other.seen.atMs).map(({ seen }) => seen);
}
