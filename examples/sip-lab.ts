import { once } from 'node:events';
import { DrachtioServer } from '@hopback/harness/drachtio';
import type { DrachtioServerOptions } from '@hopback/harness/drachtio';
import Srf from 'drachtio-srf';
import { isMain } from './lab.js';

/** A carrier of the examples: an application that switches calls, and the drachtio server that speaks SIP for it. */
export interface Carrier {
  readonly close: () => Promise<void>;
  readonly server: DrachtioServer;
  readonly srf: Srf;
}

/**
 * Starts a server and connects an application to it. Each carrier has a server of its own: one does not send requests to itself.
 * @param setUp - gives the application its handlers, before it connects
 */
export async function openCarrier(
  setUp: (srf: Srf) => void = () => undefined,
  options: DrachtioServerOptions = {},
): Promise<Carrier> {
  const server = await DrachtioServer.open(options);
  const srf = new Srf();
  setUp(srf);
  void srf.connect(server.control);
  await once(srf, 'connect');
  const close = async (): Promise<void> => {
    // The application goes first: one that loses its server tries to come back.
    const gone = once(srf, 'close');
    srf.disconnect();
    await gone;
    await server.close();
  };
  return { server, srf, close };
}

/** A session description that nobody sends sound to. */
export const SDP: string = [
  ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
  ...['m=audio 40000 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', ''],
].join('\r\n');

/** Hangs up and waits for the answer to the BYE. The types of drachtio-srf say that `destroy()` returns nothing; it returns a promise. */
export async function hangUp(dialog: Srf.Dialog): Promise<void> {
  await (dialog.destroy() as unknown as Promise<unknown>);
}

if (isMain(import.meta.url)) {
  const carrier = await openCarrier();
  const { applications, dialogs, timers } = carrier.server.inUse();
  console.log(applications, dialogs, timers); // 1 0 0
  await carrier.close();
}
