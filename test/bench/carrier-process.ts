import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import Srf from 'drachtio-srf';
import { DrachtioServer } from '@hopback/harness/drachtio';
import { createWarmService, readWorld } from './signed-calls.js';

// A carrier: a drachtio-srf B2BUA on a server of its own that verifies every call before it passes it on:
// `carrier-process.ts WORLD_FILE NEXT_HOST:PORT`. Prints its port, and how many calls it passed for each line that it reads.

const [worldFile = '', nextHop = ''] = process.argv.slice(2);
const warm = await createWarmService(readWorld(await readFile(worldFile, 'utf8')), { nowMs: Date.now });
const server = await DrachtioServer.open();
let passed = 0;

const srf = new Srf();
void srf.connect(server.control);
srf.on('connect', (error: Error | null) => {
  if (error !== null) throw error;
  process.stdout.write(`${server.uri('udp').slice('sip:127.0.0.1:'.length)}\n`);
});
srf.invite((req, res) => {
  // A call that fails is counted by the caller.
  passOn(req, res).catch(() => undefined);
});
createInterface({ input: process.stdin }).on('line', () => process.stdout.write(`${passed}\n`));

async function passOn(req: Srf.SrfRequest, res: Srf.SrfResponse): Promise<void> {
  const verdict = await warm.service.verify({
    ...{ identity: req.get('Identity'), from: req.get('From'), to: req.get('To'), requestUri: req.uri },
  });
  if (verdict.status === 'passed') passed += 1;
  const uri = `sip:+${req.calledNumber.replace('+', '')}@${nextHop}`;
  const { uas, uac } = await srf.createB2BUA(req, res, uri, { proxyRequestHeaders: ['Identity'] });
  uas.on('destroy', () => uac.destroy());
  uac.on('destroy', () => uas.destroy());
}
