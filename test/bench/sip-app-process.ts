import Srf from 'drachtio-srf';
import { sdp } from '../support/drachtio-sip-text.js';

// An unmodified drachtio-srf application in a process of its own, as it runs beside a drachtio server:
// `sip-app-process.ts uas|b2bua CONTROL_HOST CONTROL_PORT SECRET [CALLEE_URI]`. Prints the server's addresses when it is ready.

const [mode, host = '127.0.0.1', port = '9022', secret = 'cymru', callee = ''] = process.argv.slice(2);

const srf = new Srf();
void srf.connect({ host, port: Number(port), secret });
srf.on('error', (error: Error) => fail(error));
srf.on('connect', (error: Error | null, hostport: string) => {
  if (error !== null) fail(error);
  process.stdout.write(`${hostport}\n`);
});

srf.invite((req, res) => {
  if (mode === 'uas') {
    srf.createUAS(req, res, { localSdp: sdp('2') }).then((uas) => uas.on('destroy', () => undefined), failed);
    return;
  }
  srf.createB2BUA(req, res, callee, { proxyRequestHeaders: ['Identity'] }).then(({ uas, uac }) => {
    uas.on('destroy', () => end(uac));
    uac.on('destroy', () => end(uas));
  }, failed);
});

/** The types say that it returns nothing; it returns a promise. */
function end(dialog: Srf.Dialog): void {
  Promise.resolve(dialog.destroy() as unknown).catch(failed);
}

/** Overload makes calls fail: that is what the probing is for. */
function failed(): void {
  // Counted by the callers.
}

function fail(error: Error): never {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
