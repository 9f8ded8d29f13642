import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { instantText, parsedJson } from '../core/text.js';
import { isHopbackError } from '../errors.js';
import {
  buildCertificatePath,
  AttestationPolicy,
  AuthenticationService,
  parseCertificateChain,
} from '../stir/index.js';
import { certificateAlarms } from '../stir/signing/certificate-alarms.js';
import { lintCertificate, roleOf } from '../stir/certificates/profile-lint.js';
import { readSigningCertificate } from '../stir/signing/certificate-source.js';
import { tnAuthListText } from '../stir/certificates/tn-auth-list.js';
import type { Certificate, TrustedCrl, TrustStore } from '../stir/index.js';
import { UsageError } from './kit/command.js';
import type { OptionsOf } from './kit/command.js';
import type { CliOutput, CliIo } from './kit/node-io.js';
import { countText, distanceText } from './kit/output.js';
import { loadSigner } from './inputs/signing-options.js';
import type { CREDENTIAL_OPTIONS } from './inputs/signing-options.js';
import { loadTrust, textFile } from './inputs/trust-options.js';
import type { CACHE_OPTIONS, TRUST_OPTIONS } from './inputs/trust-options.js';
import type { LocalSigner } from '../stir/signing/signer.js';

/** What one check of `hopback doctor` found. Free of telephone numbers and key material. */
export type Finding = ReturnType<typeof found>;

/**
 * @param result - `skipped`: nothing was named that could be checked
 * @param advice - what to do about it
 */
export const found = (
  name: string,
  result: 'ok' | 'failed' | 'warning' | 'skipped',
  detail: string,
  advice?: string,
) => ({ name, result, detail, advice });

/** Whether there is a key and a certificate to sign with, and whether they belong together and to the provider. */
export async function checkCredential(
  options: OptionsOf<typeof CREDENTIAL_OPTIONS>,
  io: CliIo,
  trustStore: TrustStore | undefined,
) {
  const key = await checkKey(options.text('key'), io);
  const { finding, chain = [] } = await checkChain(options.text('certificate'), io);
  const [leaf] = chain;
  const spc = options.text('spc');
  const findings = [key.finding, finding];
  if (leaf !== undefined) findings.push(expiryFinding(chain, io), ownerFinding(leaf, spc), profileFinding(leaf));
  if (leaf !== undefined && trustStore !== undefined) findings.push(pathFinding(chain, trustStore, io));
  if (leaf !== undefined && key.signer !== undefined)
    findings.push(matchFinding(leaf, key.signer), ...signingFinding(chain, key.signer, spc, io));
  return { findings, chain };
}

async function checkKey(
  path: string | undefined,
  io: CliIo,
): Promise<{ readonly finding: Finding; readonly signer?: LocalSigner }> {
  if (path === undefined) return { finding: found('key', 'skipped', 'no --key') };
  try {
    const signer = await loadSigner(path, { ...io, stderr: SILENT });
    const mode = (await io.files.mode(path)) ?? 0;
    const isOpen = (mode & 0o077) !== 0;
    const finding = isOpen
      ? found('key', 'warning', `${path}: EC P-256, but mode ${mode.toString(8)}`, `chmod 600 ${path}`)
      : found('key', 'ok', `${path}: EC P-256`);
    return { finding, signer };
  } catch (error) {
    return { finding: failure('key', error) };
  }
}

/** @throws what is no error of files, keys or certificates */
function failure(name: string, error: unknown): Finding {
  if (isHopbackError(error) || error instanceof UsageError) return found(name, 'failed', error.message);
  throw error;
}

/** What loading says beside its result is a finding here. */
const SILENT: CliOutput = { isTty: false, write: () => undefined, flush: () => Promise.resolve() };

/** In place of --x5u, which is a check of its own: the order and the signatures of the chain do not depend on it. */
const SOME_X5U = 'https://certs.example.com/sp.pem';

async function checkChain(
  path: string | undefined,
  io: CliIo,
): Promise<{ readonly finding: Finding; readonly chain?: readonly Certificate[] }> {
  const name = 'certificate';
  if (path === undefined) return { finding: found(name, 'skipped', 'no --certificate') };
  try {
    const chainPem = await textFile(path, io);
    const parsed = parseCertificateChain(chainPem);
    if (parsed.status === 'malformed') return { finding: found(name, 'failed', `${path}: ${parsed.detail}`) };
    const { chain } = parsed;
    const detail = `${chain[0]?.subject.text ?? ''}, with ${String(chain.length - 1)} above it`;
    const read = readSigningCertificate({ chainPem, x5u: SOME_X5U });
    const finding = read.status === 'unusable' ? found(name, 'failed', read.detail) : found(name, 'ok', detail);
    return { finding, chain };
  } catch (error) {
    return { finding: failure(name, error) };
  }
}

/** Of the whole chain: a path is over when one of its certificates is. */
function expiryFinding(chain: readonly Certificate[], io: CliIo): Finding {
  const name = 'validity';
  const nowMs = io.clock.nowMs();
  const notBeforeMs = Math.max(...chain.map((certificate) => certificate.notBeforeMs));
  const notAfterMs = Math.min(...chain.map((certificate) => certificate.notAfterMs));
  const detail = `${instantText(notBeforeMs)} to ${instantText(notAfterMs)}`;
  if (nowMs < notBeforeMs) return found(name, 'failed', `${detail}: not yet`, 'Look at the clock, or wait.');
  const state = certificateAlarms({ notAfterMs, nowMs });
  if (state.level === 'none') return found(name, 'ok', detail);
  const ends = `${detail}: ends ${distanceText(notAfterMs, nowMs)}`;
  if (state.level === 'expired') return found(name, 'failed', ends, 'Renew it: no verifier takes signatures under it.');
  return found(name, 'warning', ends, 'Renew it before calls go out unsigned.');
}

/** Numbers of a delegate certificate are counted, not shown. */
function ownerFinding({ tnAuthList }: Certificate, spc: string | undefined): Finding {
  const name = 'TNAuthList';
  if (tnAuthList === undefined) return found(name, 'failed', 'none', 'This is no certificate for signing calls.');
  const spcs = tnAuthList.flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []));
  const numbers = tnAuthList.length - spcs.length;
  const codes = spcs.length === 0 ? [] : [tnAuthListText(tnAuthList.filter(({ kind }) => kind === 'spc'))];
  const counted = numbers === 0 ? [] : [numbers === 1 ? '1 number or range' : `${String(numbers)} numbers or ranges`];
  const detail = [...codes, ...counted].join(', ');
  if (spc === undefined || spcs.includes(spc)) return found(name, 'ok', detail);
  return found(
    name,
    'failed',
    `${detail}, not ${spc}`,
    'Signing is refused under the certificate of another provider.',
  );
}

function profileFinding(leaf: Certificate): Finding {
  const findings = lintCertificate(leaf, roleOf(leaf));
  if (findings.length === 0) return found('profile', 'ok', 'follows ATIS-1000080');
  const detail = findings.map(({ rule }) => rule).join(', ');
  return found('profile', 'warning', detail, 'hopback cert inspect shows what was expected.');
}

/** What a verifier that trusts the same would make of the certificate: signatures, constraints and revocation of the whole path. */
function pathFinding(chain: readonly Certificate[], trustStore: TrustStore, io: CliIo): Finding {
  const name = 'path';
  const atMs = io.clock.nowMs();
  const result = buildCertificatePath(chain, {
    trustAnchors: trustStore.anchors,
    intermediates: trustStore.intermediates,
    revocation: (certificate, issuer) => trustStore.revocation.lookup(certificate, issuer, atMs),
    atMs,
  });
  if (result.status === 'untrusted') {
    const detail = [...new Set(result.failures.map(({ reason }) => reason))].join(', ');
    return found(name, 'failed', detail, 'hopback cert chain FILE --trust PATH shows where it fails.');
  }
  const { path } = result;
  const anchor = path.certificates.at(-1)?.subject.text ?? '';
  const detail = `trusted, by ${anchor}`;
  if (path.revocation.status === 'good') return found(name, 'ok', `${detail}, not revoked`);
  if (path.revocation.status === 'unknown')
    return found(name, 'warning', `${detail}; revocation is unknown: ${path.revocation.detail}`);
  return found(
    name,
    'failed',
    `revoked ${instantText(path.revocation.revokedAtMs)}`,
    'Verifiers refuse it: get another certificate, with another key.',
  );
}

function matchFinding(leaf: Certificate, signer: LocalSigner): Finding {
  const name = 'key and certificate';
  if (leaf.publicKey.equals(signer.publicKey)) return found(name, 'ok', 'belong together');
  return found(
    name,
    'failed',
    'do not belong together',
    'Every signature would fail: find the key of this certificate.',
  );
}

/** Whether `sign` would sign now: what the checks above leave out, such as the key usage and links that are not signed by the next. */
function signingFinding(
  chain: readonly Certificate[],
  signer: LocalSigner,
  spc: string | undefined,
  io: CliIo,
): readonly Finding[] {
  const name = 'signing';
  const [certificate] = chain;
  const own = certificate?.tnAuthList?.find((entry) => entry.kind === 'spc');
  const owner = spc ?? own?.spc;
  if (certificate === undefined || owner === undefined) return [];
  try {
    const obstacle = new AuthenticationService({
      spc: owner,
      signer,
      certificateSource: { current: () => ({ certificate, chain, x5u: SOME_X5U }) },
      clock: io.clock,
      policy: new AttestationPolicy(),
      randomUuid: io.randomUuid,
    }).obstacle();
    if (obstacle === undefined) return [found(name, 'ok', `ready, for SPC ${owner}`)];
    return [found(name, 'failed', `${obstacle.reason}: ${obstacle.detail}`)];
  } catch (error) {
    return [failure(name, error)];
  }
}

/** A list that ends sooner should have been followed by the next. */
const LIST_MARGIN_MS = 24 * 3_600_000;

/** Loads the trust store as `verify` would, and looks at what is in it. */
export async function checkTrust(
  options: OptionsOf<typeof TRUST_OPTIONS>,
  io: CliIo,
): Promise<{ readonly findings: readonly Finding[]; readonly store?: TrustStore }> {
  const name = 'trust';
  if (options.texts('trust').length === 0) {
    const advice = 'Nothing can be verified without it.';
    return { findings: [found(name, 'skipped', 'no --trust', advice)] };
  }
  try {
    const store = await loadTrust(options, io, io.clock);
    const findings = [trustFinding(store, io), ...expiredAnchors(store, io), ...revocationFindings(store, io)];
    return { findings, store };
  } catch (error) {
    return { findings: [failure(name, error)] };
  }
}

function trustFinding({ anchors, intermediates, source, version }: TrustStore, io: CliIo): Finding {
  const count = `${countText(anchors.length, 'anchor')}, ${countText(intermediates.length, 'intermediate')}, version ${version.slice(0, 8)}`;
  if (source.kind === 'files') return found('trust', 'ok', `${count}, from files`);
  const { sequence, expMs } = source;
  const nowMs = io.clock.nowMs();
  const detail = `${count}, list ${String(sequence)} of the STI-PA, ends ${distanceText(expMs, nowMs)}`;
  if (expMs - nowMs > LIST_MARGIN_MS) return found('trust', 'ok', detail);
  return found('trust', 'warning', detail, 'Load the next list before this one ends: an ended list is refused.');
}

function expiredAnchors({ anchors }: TrustStore, io: CliIo): readonly Finding[] {
  const nowMs = io.clock.nowMs();
  const ended = anchors.filter(({ notAfterMs }) => notAfterMs < nowMs);
  if (ended.length === 0) return [];
  const detail = `${countText(ended.length, 'expired anchor')}, ${ended[0]?.subject.text ?? ''} first`;
  return [found('anchors', 'warning', detail, 'Remove them: no path through them is valid.')];
}

function revocationFindings({ revocation }: TrustStore, io: CliIo): readonly Finding[] {
  const refused = revocation.refused.map(({ crl, reason, detail }) => {
    const advice =
      reason === 'signer-not-found'
        ? 'Name the signer: --crl-signer FILE; for a CRL of the STI-PA, also --sti-pa-root.'
        : undefined;
    const text = `${crl.issuer.text}: ${reason}${detail === '' ? '' : ` (${detail})`}`;
    return found('CRL', 'failed', text, advice);
  });
  if (revocation.crls.length > 0) return [...refused, ...revocation.crls.map((trusted) => crlFinding(trusted, io))];
  const advice = 'Without a current CRL verdicts are indeterminate, unless policy accepts that: --crl FILE.';
  return [...refused, found('CRL', 'warning', 'none is usable: revocation is unknown', advice)];
}

function crlFinding({ crl, usableUntilMs }: TrustedCrl, io: CliIo): Finding {
  const nowMs = io.clock.nowMs();
  const detail = `${crl.issuer.text}: ${String(crl.revokedCount)} revoked, of ${instantText(crl.thisUpdateMs)}, good until ${instantText(usableUntilMs)}`;
  if (crl.thisUpdateMs > nowMs) return found('CRL', 'failed', detail, 'It is dated in the future: check the clock.');
  if (nowMs <= usableUntilMs) return found('CRL', 'ok', detail);
  return found(
    'CRL',
    'failed',
    detail,
    `Out of date since ${distanceText(usableUntilMs, nowMs)}: load the current one.`,
  );
}

/** Whether the cache can be read and written; what is in it, in numbers. */
export async function checkCache(options: OptionsOf<typeof CACHE_OPTIONS>, io: CliIo): Promise<Finding> {
  const directory = options.text('cache');
  const name = 'cache';
  if (directory === undefined) return found(name, 'skipped', 'no --cache');
  try {
    const names = await io.files.list(directory);
    if (names === undefined)
      return found(
        name,
        'warning',
        `${directory} does not exist yet`,
        'It is made when the first certificate is stored.',
      );
    await access(join(directory, '.'), constants.W_OK | constants.X_OK);
    const chains = await cachedChains(directory, names, io);
    return found(name, 'ok', `${directory}: writable, ${countText(chains, 'certificate chain')}`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return found(
      name,
      'failed',
      `${directory}: cannot be used (${code})`,
      'It must be a directory that this user may write.',
    );
  }
}

/** Most bytes of one file of a cache, with room beside the largest that is written. */
const MAX_CACHE_FILE_BYTES = 65_536;

/** Files that are JSON, unchecked: what is usable of them, `restore` of a repository says. */
async function cachedChains(directory: string, names: readonly string[], io: CliIo): Promise<number> {
  let count = 0;
  // One after the other: thousands of open files at once would be more than the machine permits.
  for (const name of names.filter((candidate) => candidate.endsWith('.json'))) {
    const body = await io.files.read(join(directory, name), MAX_CACHE_FILE_BYTES).catch(() => undefined);
    if (body !== undefined && parsedJson(Buffer.from(body).toString('utf8')) !== undefined) count += 1;
  }
  return count;
}
