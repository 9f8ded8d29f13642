import { DrachtioServer } from '@hopback/harness/drachtio';
import { connectApp, type AppDialog } from '../support/drachtio-app.js';

// Carriers that carry calls and do nothing else, each an application on an embedded server of its own: `network-hops-process.ts COUNT ADDRESS`. Prints the
// address of the first when all are ready; the last sends to ADDRESS.

const [count = '1', callee = ''] = process.argv.slice(2);

let next = callee;
for (let hop = 0; hop < Number(count); hop += 1) next = await openHop(next);
process.stdout.write(`${next}\n`);

async function openHop(towards: string): Promise<string> {
  const server = await DrachtioServer.open();
  const app = await connectApp(server);
  app.srf.invite((req, res) => {
    app.srf.createB2BUA(req, res, `sip:${req.calledNumber}@${towards}`, {}).then(({ uas, uac }) => {
      uas.on('destroy', () => end(uac));
      uac.on('destroy', () => end(uas));
    }, failed);
  });
  return server.uri('udp').slice('sip:'.length);
}

function end(dialog: AppDialog): void {
  dialog.destroy().catch(failed);
}

/** The callers count what they could not place. */
function failed(): void {
  // Counted by the callers.
}
