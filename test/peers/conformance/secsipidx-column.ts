import { TRUST_FILES } from '@hopback/harness/conformance';
import { peer } from '../../peers.js';
import { freePorts, startCommand, waitUntil } from '../../support/recipe.js';
import type { ColumnDefinition, StartedService } from './column.js';
import type { ConformanceLab } from '../../support/conformance-lab.js';

/** 1: dates, 4: the authorities of a file, 16: a CRL of a file. */
const CERT_VERIFY = 21;

/** The HTTP server of secsipidx. */
export const secsipidxColumn = (): ColumnDefinition => ({
  name: 'secsipidx',
  note: `secsipidx ${peer('secsipidx').version ?? ''} of Debian as a server, \`-http-srv\`, with \`-expire 60 -cert-verify ${String(CERT_VERIFY)} -ca-file … -crl-file …\`: dates, the root and the CRL are checked. It is not told who calls whom`,
  isOurs: false,
  start,
});

async function start({ path }: ConformanceLab): Promise<StartedService> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${String(port)}`;
  const args = [
    ...['-http-srv', `127.0.0.1:${String(port)}`, '-expire', '60', '-cert-verify', String(CERT_VERIFY)],
    ...['-ca-file', path(TRUST_FILES.root), '-crl-file', path(TRUST_FILES.crlPem), '-k', path(TRUST_FILES.signingKey)],
  ];
  const command = ['env', `SSL_CERT_FILE=${path(TRUST_FILES.webRoot)}`, peer('secsipidx').path, ...args];
  const server = startCommand(`exec ${command.map((arg) => `'${arg}'`).join(' ')}`);
  const answers = (): Promise<boolean> =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await waitUntil(async () => server.hasEnded() || (await answers()));
  if (server.hasEnded()) throw new Error(`secsipidx did not start: ${server.said()}`);
  return { target: { kind: 'secsipidx', url }, [Symbol.asyncDispose]: server.stop };
}
