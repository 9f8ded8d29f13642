import { expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import { connectApp, onEnded } from '../support/drachtio-app.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { createLiveLab } from './sipp/live-lab.js';
import { flawless, sippCalls, type SippTransport } from './sipp/run-sipp.js';

// SIPp in every other role is in drachtio-kamailio.test.ts and in drachtio-srf's own tests.

const TRANSPORTS: readonly SippTransport[] = ['udp', 'tcp'];
const CALLS = 100;

describePeer('sipp', 'SIPp', () => {
  test.each(TRANSPORTS.flatMap((transport) => [false, true].map((ownSockets) => [transport, ownSockets] as const)))(
    'calls an application a hundred times over %s and hangs up, with a socket for each call: %s',
    async (transport, ownSockets) => {
      await using lab = await createLiveLab();
      const log: unknown[] = [];
      await using _ = await connectApp(lab.server, {
        setUp: (srf) =>
          srf.invite((req, res) => {
            res.send(180);
            srf.createUAS(req, res, { localSdp: sdp('2') }).then(
              (dialog) => onEnded(dialog, (method) => log.push(method)),
              (error: unknown) => log.push(error),
            );
          }),
      });
      const port = lab.server.listening.find((one) => one.transport === transport)?.port ?? 0;
      const run = { scenario: 'caller', transport, calls: CALLS, port, ownSockets };
      expect(await sippCalls(run)).toEqual(flawless(CALLS));
      const { retransmissions, faults, overloaded } = lab.server.counters();
      expect({ retransmissions, faults, overloaded }).toEqual({ retransmissions: 0, faults: {}, overloaded: 0 });
      await lab.nothingLeft();
      expect(log).toEqual(Array(CALLS).fill('BYE'));
    },
  );
});
