import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { TRUST_FILES } from '@hopback/harness/conformance';
import { peer } from '../../peers.js';
import { freePorts } from '../../support/recipe.js';
import type { ColumnDefinition, StartedService } from './column.js';
import type { ConformanceLab } from '../../support/conformance-lab.js';

/** 1: dates, 4: the authorities of a file, 16: a CRL of a file. */
const CERT_VERIFY = 21;
const START_TIMEOUT_MS = 10_000;
const LOOK_MS = 20;

/** The HTTP server of secsipidx. */
export const secsipidxColumn = (): ColumnDefinition => ({
  name: 'secsipidx',
  note: `secsipidx ${peer('secsipidx').version ?? ''} of Debian as a server, \`-http-srv\`, with \`-expire 60 -cert-verify ${String(CERT_VERIFY)} -ca-file … -crl-file …\`: dates, the root and the CRL are checked. It is not told who calls whom`,
  isOurs: false,
  start,
});

async function start({ path }: ConformanceLab): Promise<StartedService> {
  const [port = 0] = await freePorts(1);
  const child = spawn(
    peer('secsipidx').path,
    [
      ...['-http-srv', `127.0.0.1:${String(port)}`, '-expire', '60', '-cert-verify', String(CERT_VERIFY)],
      ...[
        '-ca-file',
        path(TRUST_FILES.root),
        '-crl-file',
        path(TRUST_FILES.crlPem),
        '-k',
        path(TRUST_FILES.signingKey),
      ],
    ],
    { stdio: 'ignore', env: { ...process.env, SSL_CERT_FILE: path(TRUST_FILES.webRoot) } },
  );
  const exited = once(child, 'exit');
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    process.removeListener('exit', endWithUs);
  };
  for (const untilMs = Date.now() + START_TIMEOUT_MS; !(await isThere(port));) {
    if (Date.now() < untilMs && child.exitCode === null) continue;
    await end();
    throw new Error('secsipidx did not start');
  }
  return { target: { kind: 'secsipidx', url: `http://127.0.0.1:${String(port)}` }, [Symbol.asyncDispose]: end };
}

/** Whether somebody listens; a look takes a moment, so that looking again and again is no busy loop. */
function isThere(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => setTimeout(() => resolve(false), LOOK_MS));
  });
}
