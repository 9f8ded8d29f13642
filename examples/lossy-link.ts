import { ChaosRelay } from '@hopback/harness';
import type { DatagramFaults } from '@hopback/harness';
import type Srf from 'drachtio-srf';
import { isMain } from './lab.js';
import { hangUp, openCarrier, SDP, type Carrier } from './sip-lab.js';

/** Two carriers with a bad line between them. */
export interface LossyLink {
  readonly close: () => Promise<void>;
  readonly near: Carrier;
  readonly far: Carrier;
  readonly relay: ChaosRelay<'udp'>;
  /** How many calls the far carrier knows to be over. */
  readonly endedFar: () => number;
}

/** T1 a tenth of the usual half second, and what hangs on it: what is lost is sent again sooner. */
const timers = { t1Ms: 50, t2Ms: 400, t4Ms: 500 };

/** Opens carriers and relay. With the same seed the n-th datagram of a direction meets the same fate. */
export async function openLossyLink(seed: number, faults: DatagramFaults): Promise<LossyLink> {
  let ended = 0;
  const answer = async (req: Srf.SrfRequest, res: Srf.SrfResponse): Promise<void> => {
    // Whoever answers says in Contact where ACK and BYE go: to the relay, as the INVITE went.
    const headers = { Contact: `<${uriOf(relay)}>` };
    const dialog = await far.srf.createUAS(req, res, { localSdp: SDP, headers });
    dialog.on('destroy', () => void (ended += 1));
  };
  const near = await openCarrier(undefined, { timers });
  const far = await openCarrier((srf) => srf.invite((req, res) => void answer(req, res)), { timers });
  const target = { host: '127.0.0.1', port: far.server.listening[0]?.port ?? 0 };
  const relay = await ChaosRelay.open({ protocol: 'udp', target, seed, faults });
  const close = async (): Promise<void> => {
    await near.close();
    await far.close();
    await relay.close();
  };
  return { near, far, relay, endedFar: () => ended, close };
}

/** Calls through the relay and hangs up. */
export async function callOver({ near, relay }: LossyLink): Promise<void> {
  await hangUp(await near.srf.createUAC(uriOf(relay), { localSdp: SDP }));
}

const uriOf = ({ address }: ChaosRelay<'udp'>): string => `sip:${address.host}:${address.port}`;

if (isMain(import.meta.url)) {
  const link = await openLossyLink(7, { lossRate: 0.1, duplicationRate: 0.05, reorderRate: 0.1, jitterMs: 5 });
  await Promise.all(Array.from({ length: 20 }, () => callOver(link)));
  console.log(link.endedFar()); // 20
  const { toTarget, toSource } = link.relay.counters();
  const repeated = link.near.server.counters().retransmissions + link.far.server.counters().retransmissions;
  console.log(toTarget.dropped + toSource.dropped > 0, repeated > 0); // true true
  await link.close();
}
