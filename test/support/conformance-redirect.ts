import { TRUST_FILES, type ConformanceTargetOptions } from '@hopback/harness/conformance';
import { createLiveLab } from '../peers/sipp/live-lab.js';
import { startCommand } from './cli-records-lab.js';
import type { ConformanceLab } from './conformance-lab.js';

const SECRET = 'a secret of your own';

/** What the redirect server is given: calls for one host are verified, those for the other signed as the request says. */
export const REDIRECT_RULES = { profile: 'attestation-info' } as const;
const RULES = [
  { name: 'inbound', mode: 'verify', when: { hosts: ['verify.example'] }, policy: { role: 'terminating' } },
  {
    ...{ name: 'outbound', mode: 'sign', when: { hosts: ['sign.example'] }, profile: REDIRECT_RULES.profile },
    facts: { role: 'originating', customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' },
  },
];

/** Starts `hopback redirect` behind a drachtio server on a free port. */
export async function startRedirectService({ path, write, environment }: ConformanceLab) {
  const { server, urls } = environment;
  await write('drachtio.secret', SECRET);
  await write('rules.json', JSON.stringify(RULES));
  const drachtio = await createLiveLab({ control: { port: 0, secret: SECRET } });
  const { host, port } = drachtio.server.control;
  const command = startCommand([
    ...['redirect', '--json', '--drachtio', `${host}:${String(port)}`, '--drain-seconds', '0'],
    // Of a machine that tests share: half of it is for a certificate.
    ...['--time-budget', '16000'],
    ...['--secret-file', path('drachtio.secret'), '--mode', 'by-request', '--rules', path('rules.json')],
    ...['--trust', path(TRUST_FILES.root), '--sti-pa-root', path(TRUST_FILES.stiPaRoot)],
    ...['--crl', path(TRUST_FILES.crlDer), '--crl-signer', path(TRUST_FILES.crlSigner)],
    ...['--tls-ca', path(TRUST_FILES.webRoot), '--allow-address', '127.0.0.0/8'],
    ...Object.values(server.ports).flatMap((one) => ['--allow-port', String(one)]),
    ...['--key', path(TRUST_FILES.signingKey), '--certificate', path(TRUST_FILES.signingChain)],
    ...['--x5u', urls.signingX5u, '--attestations', path('attestations.ndjson')],
  ]);
  const end = async (): Promise<void> => {
    await command.end('SIGTERM');
    await drachtio[Symbol.asyncDispose]();
  };
  try {
    await command.until((line) => line.includes('"connected"'));
  } catch (error) {
    await end();
    throw error;
  }
  const sip = drachtio.server.listening.find(({ transport }) => transport === 'udp')?.port ?? 0;
  const target: ConformanceTargetOptions = {
    ...{ kind: 'redirect', url: `sip:127.0.0.1:${String(sip)}` },
    sip: {
      ...{ domain: 'verify.example', signingDomain: 'sign.example' },
      ...{ attestationField: 'Attestation-Info', origIdField: 'Origination-ID' },
    },
  };
  return { target, [Symbol.asyncDispose]: end };
}
