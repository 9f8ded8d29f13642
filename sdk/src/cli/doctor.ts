import { generateKeyPairSync, verify } from 'node:crypto';
import { defined, durationText, instantText, printableText } from '../core/text.js';
import { createLocalSigner, parseCertificateChain } from '../stir/index.js';
import { CERTIFICATE_CHAIN_MAX_BYTES } from '../stir/certificates/parse-certificate.js';
import { checkX5uUrl } from '../stir/certificates/x5u-url-policy.js';
import { fetchBounded } from '../stir/certificates/bounded-fetch.js';
import type { BoundedFetchResult, Certificate } from '../stir/index.js';
import { checkCache, checkCredential, checkTrust, found } from './doctor-credential.js';
import type { Finding } from './doctor-credential.js';
import { EXIT, refuseOperands } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import type { CliIo } from './kit/node-io.js';
import { countText, report } from './kit/output.js';
import { CREDENTIAL_OPTIONS } from './inputs/signing-options.js';
import { CACHE_OPTIONS, FETCH_OPTIONS, fetchSettings, TRUST_OPTIONS } from './inputs/trust-options.js';

/** Oldest Node that this package runs on, as its package.json says. */
const MIN_NODE: readonly [number, number] = [20, 19];

/** Before this the package did not exist: a clock that says so has been reset. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
/** Certificates of today end long before this. */
const LATEST_MS = Date.UTC(2050, 0, 1);

/** Signatures made and checked by the self-test: enough for a figure, over within some hundred milliseconds. */
const SELF_TEST_SIGNATURES = 200;

/** Slower than this, ES256 runs without the processor's help; a call would still not notice. */
const SLOW_VERIFY_US = 1_000;

function checkNode({ nodeVersion }: CliIo): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace('v', '').split('.').map(Number);
  const isEnough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  if (isEnough) return found('node', 'ok', nodeVersion);
  return found('node', 'failed', nodeVersion, `Node ${MIN_NODE.join('.')} or newer is needed.`);
}

/** Without asking anybody, only a clock that cannot be right is found out. */
function checkClock({ clock }: CliIo): Finding {
  const nowMs = clock.nowMs();
  const detail = instantText(nowMs);
  if (nowMs >= EARLIEST_MS && nowMs < LATEST_MS) return found('clock', 'ok', detail);
  return found('clock', 'failed', detail, 'Set the clock and keep it set (NTP): a PASSporT is fresh for 60 s.');
}

/** Signs and verifies, and sees that a changed text does not verify. */
async function checkSignatures({ elapsedMs }: CliIo): Promise<Finding> {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const signer = await createLocalSigner({ privateKeyPem: privateKey });
  const key = { key: signer.publicKey, dsaEncoding: 'ieee-p1363' } as const;
  const text = Buffer.from('hopback doctor');
  const startMs = elapsedMs();
  const signatures = Array.from({ length: SELF_TEST_SIGNATURES }, () => signer.sign(text));
  const signedMs = elapsedMs();
  const isGood = signatures.every((signature) => verify('sha256', text, key, signature));
  const verifiedMs = elapsedMs();
  const isForged = verify('sha256', Buffer.from('hopback doctors'), key, signatures[0] ?? Buffer.alloc(64));
  if (!isGood || isForged) {
    return found('ES256', 'failed', 'signing or verifying gives wrong results', 'Use another build of Node.');
  }
  const signUs = Math.round(((signedMs - startMs) * 1000) / SELF_TEST_SIGNATURES);
  const verifyUs = Math.round(((verifiedMs - signedMs) * 1000) / SELF_TEST_SIGNATURES);
  const detail = `sign ${String(signUs)} µs, verify ${String(verifyUs)} µs`;
  if (verifyUs <= SLOW_VERIFY_US) return found('ES256', 'ok', detail);
  return found('ES256', 'warning', detail, 'Slow for this algorithm: is the machine overloaded?');
}

/** Certificates are fetched by name: without a name server every call with an unknown signer stays indeterminate. */
function checkNameServers({ nameServers }: CliIo): Finding {
  const servers = nameServers();
  if (servers.length === 0) {
    return found('name servers', 'failed', 'none', 'Certificates are fetched by host name: set a resolver.');
  }
  const detail = `${servers.slice(0, 3).join(', ')}; certificates come over TCP 443 and 8443`;
  return found('name servers', 'ok', detail);
}

/** Half of what a PASSporT may be old: the other half is for the way. */
const MAX_SKEW_MS = 30_000;

/** Fetches the x5u as a verifier would: whether it is served, whether it is the chain at hand, and what time it is there. */
async function checkPublished(
  options: OptionsOf<typeof OPTIONS>,
  io: CliIo,
  chain: readonly Certificate[],
): Promise<readonly Finding[]> {
  const name = 'x5u';
  const x5u = options.text('x5u');
  if (x5u === undefined) return [found(name, 'skipped', 'no --x5u: nobody was contacted')];
  const settings = await fetchSettings(options, io);
  const checked = checkX5uUrl(x5u, defined({ allow: settings.allow }));
  if (checked.status === 'refused') {
    const advice = 'Verifiers take https, port 443 or 8443, a public host, no query.';
    return [found(name, 'failed', `${checked.reason}: ${checked.detail}`, advice)];
  }
  const startMs = io.elapsedMs();
  const fetched = await fetchBounded(x5u, { maxBytes: CERTIFICATE_CHAIN_MAX_BYTES, ...settings });
  const tookMs = Math.round(io.elapsedMs() - startMs);
  return [publishedFinding(fetched, tookMs, chain), ...skewFinding(fetched, io)];
}

function publishedFinding(fetched: BoundedFetchResult, tookMs: number, chain: readonly Certificate[]): Finding {
  const name = 'x5u';
  if (fetched.status === 'refused' || fetched.status === 'failed') {
    const advice = 'Verifiers that get the same result cannot verify calls signed with this x5u.';
    return found(name, 'failed', `${fetched.reason}: ${fetched.detail}`, advice);
  }
  const parsed = fetched.status === 'fetched' ? parseCertificateChain(fetched.body) : undefined;
  if (parsed?.status !== 'parsed') return found(name, 'failed', `serves no certificates: ${parsed?.detail ?? ''}`);
  const detail = `${countText(parsed.chain.length, 'certificate')} in ${String(tookMs)} ms`;
  if (chain.length === 0) return found(name, 'ok', detail);
  const differs = differenceOf(parsed.chain, chain);
  const more = parsed.chain.length - chain.length;
  if (differs === undefined)
    return found(name, 'ok', `${detail}, same as yours${more === 0 ? '' : ` and ${String(more)} more`}`);
  const advice = 'Publish the chain of --certificate there, end entity first.';
  return found(name, 'failed', `${detail}, but ${differs}`, advice);
}

/** Verifiers have what is served and nothing else: a link that is missing there is missing, and a foreign one breaks the path. */
function differenceOf(served: readonly Certificate[], atHand: readonly Certificate[]): string | undefined {
  const at = atHand.findIndex(({ sha256 }, index) => served[index]?.sha256 !== sha256);
  if (at < 0) return undefined;
  return at < served.length
    ? `certificate ${String(at + 1)} differs from yours`
    : `certificate ${String(at + 1)} of your chain is missing`;
}

/** The Date of a response is exact to a second, and some caches hand out an old one: a warning, no failure. @see RFC 9110 section 6.6.1 */
function skewFinding(fetched: BoundedFetchResult, io: CliIo): readonly Finding[] {
  const date = 'headers' in fetched ? fetched.headers.date : undefined;
  const atMs = date === undefined ? Number.NaN : Date.parse(date);
  if (!Number.isFinite(atMs)) return [];
  const skewMs = io.clock.nowMs() - atMs;
  const name = 'clock and server';
  const detail = `${durationText(Math.round(Math.abs(skewMs) / 1000))} apart`;
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return [found(name, 'ok', detail)];
  return [found(name, 'warning', detail, 'One of the two clocks is wrong: a PASSporT is fresh for 60 s.')];
}

const OPTIONS = { ...TRUST_OPTIONS, ...CREDENTIAL_OPTIONS, ...CACHE_OPTIONS, ...FETCH_OPTIONS };

const DOCTOR: CommandBody = {
  usage: ['[OPTION...]'],
  options: OPTIONS,
  notes: [
    'Checks the files and URLs that you name: give the same options and variables as to verify and sign. The ' +
      'command contacts nobody unless --x5u names a URL. It then fetches the URL as a verifier would, compares the ' +
      'chain with yours, and the Date with the clock. --trust together with --certificate builds the path of the ' +
      'certificate.',
    'Exit codes: 0 no check failed, 1 a check failed, 2 command line or input not valid, 4 the output could not be written.',
  ],
  run,
};

async function run(options: OptionsOf<typeof OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name what is to be checked by option, such as --certificate FILE.']);
  const trust = await checkTrust(options, io);
  const credential = await checkCredential(options, io, trust.store);
  const findings: readonly Finding[] = [
    checkNode(io),
    checkClock(io),
    await checkSignatures(io),
    checkNameServers(io),
    ...trust.findings,
    await checkCache(options, io),
    ...credential.findings,
    ...(await checkPublished(options, io, credential.chain)),
  ];
  const exitCode = findings.some(({ result }) => result === 'failed') ? EXIT.negative : EXIT.ok;
  const lines = [...findings.flatMap(linesOf), '', summaryOf(findings)];
  return report(options, io, { format: 'hopback.doctor.1', exitCode, findings }, lines);
}

const MARKS: Readonly<Record<Finding['result'], string>> = { ok: '✓', failed: '✗', warning: '!', skipped: '·' };

/** Room for the longest name. */
const NAME_CHARS = 20;

function linesOf({ name, result, detail, advice }: Finding): readonly string[] {
  const line = `  ${MARKS[result]} ${name.padEnd(NAME_CHARS)} ${printableText(detail)}`;
  return advice === undefined ? [line] : [line, `    ${' '.repeat(NAME_CHARS)} ${advice}`];
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (result: Finding['result']): number => findings.filter((finding) => finding.result === result).length;
  const failed = count('failed');
  const text = `${String(count('ok'))} passed, ${String(failed)} failed, ${String(count('warning'))} with a warning, ${String(count('skipped'))} not checked`;
  return `${failed === 0 ? '✓' : '✗'} ${text}`;
}

export const COMMANDS = { doctor: DOCTOR };
