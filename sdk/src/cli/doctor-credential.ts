import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { isHopbackError } from '../errors.js';
import {
  buildCertificatePath,
  certificateAlarms,
  createAttestationPolicy,
  createAuthenticationService,
  lintCertificate,
  parseCertificateChain,
  readSigningCertificate,
  revocationAt,
  roleOf,
  tnAuthListText,
} from '../stir/index.js';
import type { Certificate, SynchronousSigner, TrustedCrl, TrustStore } from '../stir/index.js';
import { UsageError } from './kit/command.js';
import type { Options } from './kit/command.js';
import type { CliIo, CliOutput } from './kit/io.js';
import { countText, distanceText, instantText } from './kit/output.js';
import { loadSigner } from './inputs/signing-options.js';
import type { CredentialOption } from './inputs/signing-options.js';
import { cachedEnvelopes, loadTrust, textFile } from './inputs/trust-options.js';
import type { TrustOption } from './inputs/trust-options.js';

/** Key and certificate as found, for the checks that build on them. */
interface CredentialCheck {
  readonly findings: readonly Finding[];
  /** Of --certificate, end entity first; empty where there is none that can be read. */
  readonly chain: readonly Certificate[];
}

/** Whether there is a key and a certificate to sign with, and whether they belong together and to the provider. */
export async function checkCredential(
  options: Options<CredentialOption>,
  io: CliIo,
  trustStore: TrustStore | undefined,
): Promise<CredentialCheck> {
  const key = await checkKey(options.text('key'), io);
  const certificate = await checkChain(options, io);
  const { chain = [] } = certificate;
  const [leaf] = chain;
  const findings = [
    key.finding,
    certificate.finding,
    ...(leaf === undefined
      ? []
      : [expiryFinding(chain, io), ownerFinding(leaf, options.text('spc')), profileFinding(leaf)]),
    ...(leaf === undefined || trustStore === undefined ? [] : [pathFinding(chain, trustStore, io)]),
    ...(leaf === undefined || key.signer === undefined
      ? []
      : [
          matchFinding(leaf, key.signer),
          ...signingFinding(chain, { signer: key.signer, spc: options.text('spc'), io }),
        ]),
  ];
  return { findings, chain };
}

async function checkKey(
  path: string | undefined,
  io: CliIo,
): Promise<{ readonly finding: Finding; readonly signer?: SynchronousSigner }> {
  if (path === undefined) return { finding: { name: 'key', result: 'skipped', detail: 'no --key' } };
  try {
    const signer = await loadSigner(path, { ...io, stderr: SILENT });
    const mode = (await io.files.mode(path)) ?? 0;
    const isOpen = (mode & 0o077) !== 0;
    const finding: Finding = isOpen
      ? {
          name: 'key',
          result: 'warning',
          detail: `${path}: EC P-256, but mode ${mode.toString(8)}`,
          advice: `chmod 600 ${path}`,
        }
      : { name: 'key', result: 'ok', detail: `${path}: EC P-256` };
    return { finding, signer };
  } catch (error) {
    if (!isHopbackError(error)) throw error;
    return { finding: { name: 'key', result: 'failed', detail: error.message } };
  }
}

/** What loading says beside its result is a finding here. */
const SILENT: CliOutput = { isTty: false, write: () => undefined, flush: () => Promise.resolve() };

/** In place of --x5u, which is a check of its own: the order and the signatures of the chain do not depend on it. */
const SOME_X5U = 'https://certs.example.com/sp.pem';

interface ChainCheck {
  readonly finding: Finding;
  readonly chain?: readonly Certificate[];
}

async function checkChain(options: Options<CredentialOption>, io: CliIo): Promise<ChainCheck> {
  const name = 'certificate';
  const path = options.text('certificate');
  if (path === undefined) return { finding: { name, result: 'skipped', detail: 'no --certificate' } };
  try {
    const chainPem = await textFile(path, io);
    const parsed = parseCertificateChain(chainPem);
    if (parsed.status === 'malformed')
      return { finding: { name, result: 'failed', detail: `${path}: ${parsed.detail}` } };
    const { chain } = parsed;
    const detail = `${chain[0]?.subject.text ?? ''}, with ${String(chain.length - 1)} above it`;
    const read = readSigningCertificate({ chainPem, x5u: SOME_X5U });
    if (read.status === 'unusable') return { finding: { name, result: 'failed', detail: read.detail }, chain };
    return { finding: { name, result: 'ok', detail }, chain };
  } catch (error) {
    if (!isHopbackError(error)) throw error;
    return { finding: { name, result: 'failed', detail: error.message } };
  }
}

/** Of the whole chain: a path is over when one of its certificates is. */
function expiryFinding(chain: readonly Certificate[], io: CliIo): Finding {
  const name = 'validity';
  const nowMs = io.clock.nowMs();
  const notBeforeMs = Math.max(...chain.map((certificate) => certificate.notBeforeMs));
  const notAfterMs = Math.min(...chain.map((certificate) => certificate.notAfterMs));
  const detail = `${instantText(notBeforeMs)} to ${instantText(notAfterMs)}`;
  if (nowMs < notBeforeMs)
    return { name, result: 'failed', detail: `${detail}: not yet`, advice: 'Look at the clock, or wait.' };
  const state = certificateAlarms({ notAfterMs, nowMs });
  if (state.level === 'none') return { name, result: 'ok', detail };
  const ends = `${detail}: ends ${distanceText(notAfterMs, nowMs)}`;
  if (state.level === 'expired')
    return { name, result: 'failed', detail: ends, advice: 'Renew it: no verifier takes signatures under it.' };
  return { name, result: 'warning', detail: ends, advice: 'Renew it before calls go out unsigned.' };
}

/** Numbers of a delegate certificate are counted, not shown. */
function ownerFinding({ tnAuthList }: Certificate, spc: string | undefined): Finding {
  const name = 'TNAuthList';
  if (tnAuthList === undefined)
    return { name, result: 'failed', detail: 'none', advice: 'This is no certificate for signing calls.' };
  const spcs = tnAuthList.flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []));
  const numbers = tnAuthList.length - spcs.length;
  const codes = spcs.length === 0 ? [] : [tnAuthListText(tnAuthList.filter(({ kind }) => kind === 'spc'))];
  const counted = numbers === 0 ? [] : [numbers === 1 ? '1 number or range' : `${String(numbers)} numbers or ranges`];
  const detail = [...codes, ...counted].join(', ');
  if (spc === undefined || spcs.includes(spc)) return { name, result: 'ok', detail };
  return {
    name,
    result: 'failed',
    detail: `${detail}, not ${spc}`,
    advice: 'Signing is refused under the certificate of another provider.',
  };
}

function profileFinding(leaf: Certificate): Finding {
  const findings = lintCertificate(leaf, roleOf(leaf));
  if (findings.length === 0) return { name: 'profile', result: 'ok', detail: 'follows ATIS-1000080' };
  const detail = findings.map(({ rule }) => rule).join(', ');
  return { name: 'profile', result: 'warning', detail, advice: 'hopback cert inspect shows what was expected.' };
}

/** What a verifier that trusts the same would make of the certificate: signatures, constraints and revocation of the whole path. */
function pathFinding(chain: readonly Certificate[], trustStore: TrustStore, io: CliIo): Finding {
  const name = 'path';
  const atMs = io.clock.nowMs();
  const { anchors: trustAnchors, intermediates } = trustStore;
  const revocation = revocationAt(trustStore.revocation, atMs);
  const result = buildCertificatePath(chain, { trustAnchors, intermediates, revocation, atMs });
  if (result.status === 'untrusted') {
    const detail = [...new Set(result.failures.map(({ reason }) => reason))].join(', ');
    return { name, result: 'failed', detail, advice: 'hopback cert chain FILE --trust PATH shows where it fails.' };
  }
  const { path } = result;
  const anchor = path.certificates.at(-1)?.subject.text ?? '';
  const detail = `trusted, by ${anchor}`;
  if (path.revocation.status === 'good') return { name, result: 'ok', detail: `${detail}, not revoked` };
  if (path.revocation.status === 'unknown')
    return { name, result: 'warning', detail: `${detail}; revocation is unknown: ${path.revocation.detail}` };
  return {
    name,
    result: 'failed',
    detail: `revoked ${instantText(path.revocation.revokedAtMs)}`,
    advice: 'Verifiers refuse it: get another certificate, with another key.',
  };
}

function matchFinding(leaf: Certificate, signer: SynchronousSigner): Finding {
  const name = 'key and certificate';
  if (leaf.publicKey.equals(signer.publicKey)) return { name, result: 'ok', detail: 'belong together' };
  return {
    name,
    result: 'failed',
    detail: 'do not belong together',
    advice: 'Every signature would fail: find the key of this certificate.',
  };
}

/** Whether `sign` would sign now: what the checks above leave out, such as the key usage and links that are not signed by the next. */
function signingFinding(
  chain: readonly Certificate[],
  { signer, spc, io }: { readonly signer: SynchronousSigner; readonly spc: string | undefined; readonly io: CliIo },
): readonly Finding[] {
  const name = 'signing';
  const [certificate] = chain;
  const own = certificate?.tnAuthList?.find((entry) => entry.kind === 'spc');
  const owner = spc ?? own?.spc;
  if (certificate === undefined || owner === undefined) return [];
  try {
    const obstacle = createAuthenticationService({
      spc: owner,
      signer,
      certificateSource: { current: () => ({ certificate, chain, x5u: SOME_X5U }) },
      clock: io.clock,
      policy: createAttestationPolicy(),
      randomUuid: io.randomUuid,
    }).obstacle();
    if (obstacle === undefined) return [{ name, result: 'ok', detail: `nothing is in the way, for SPC ${owner}` }];
    return [{ name, result: 'failed', detail: `${obstacle.reason}: ${obstacle.detail}` }];
  } catch (error) {
    if (!isHopbackError(error)) throw error;
    return [{ name, result: 'failed', detail: error.message }];
  }
}

/** What one check of `hopback doctor` found. Free of telephone numbers and key material. */
export interface Finding {
  readonly name: string;
  /** `skipped`: nothing was named that could be checked. */
  readonly result: 'ok' | 'failed' | 'warning' | 'skipped';
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** A list that ends sooner should have been followed by the next. */
const LIST_MARGIN_MS = 24 * 3_600_000;

/** What was found of the trust store, and the store where there is one. */
interface TrustCheck {
  readonly findings: readonly Finding[];
  readonly store?: TrustStore;
}

/** Loads the trust store as `verify` would, and looks at what is in it. */
export async function checkTrust(options: Options<TrustOption>, io: CliIo): Promise<TrustCheck> {
  const name = 'trust';
  if (options.texts('trust').length === 0) {
    const advice = 'Nothing can be verified without it.';
    return { findings: [{ name, result: 'skipped', detail: 'no --trust', advice }] };
  }
  try {
    const store = await loadTrust(options, io, io.clock);
    const findings = [trustFinding(store, io), ...expiredAnchors(store, io), ...revocationFindings(store, io)];
    return { findings, store };
  } catch (error) {
    if (!isHopbackError(error) && !(error instanceof UsageError)) throw error;
    return { findings: [{ name, result: 'failed', detail: error.message }] };
  }
}

function trustFinding({ anchors, intermediates, source, version }: TrustStore, io: CliIo): Finding {
  const count = `${countText(anchors.length, 'anchor')}, ${countText(intermediates.length, 'intermediate')}, version ${version.slice(0, 8)}`;
  if (source.kind === 'files') return { name: 'trust', result: 'ok', detail: `${count}, from files` };
  const { sequence, expMs } = source;
  const nowMs = io.clock.nowMs();
  const detail = `${count}, list ${String(sequence)} of the STI-PA, ends ${distanceText(expMs, nowMs)}`;
  if (expMs - nowMs > LIST_MARGIN_MS) return { name: 'trust', result: 'ok', detail };
  return {
    name: 'trust',
    result: 'warning',
    detail,
    advice: 'Load the next list before this one ends: an ended list is refused.',
  };
}

function expiredAnchors({ anchors }: TrustStore, io: CliIo): readonly Finding[] {
  const nowMs = io.clock.nowMs();
  const ended = anchors.filter(({ notAfterMs }) => notAfterMs < nowMs);
  if (ended.length === 0) return [];
  const detail = `${countText(ended.length, 'expired anchor')}, ${ended[0]?.subject.text ?? ''} first`;
  return [{ name: 'anchors', result: 'warning', detail, advice: 'Take them out: no path through them holds.' }];
}

function revocationFindings({ revocation }: TrustStore, io: CliIo): readonly Finding[] {
  const refused = revocation.refused.map(({ crl, reason, detail }): Finding => {
    const advice =
      reason === 'signer-not-found'
        ? 'Name the signer: --crl-signer FILE, and --sti-pa-root for that of the STI-PA.'
        : undefined;
    const text = `${crl.issuer.text}: ${reason}${detail === '' ? '' : ` (${detail})`}`;
    return { name: 'CRL', result: 'failed', detail: text, ...(advice === undefined ? {} : { advice }) };
  });
  if (revocation.crls.length > 0) return [...refused, ...revocation.crls.map((trusted) => crlFinding(trusted, io))];
  const advice = 'Without a current CRL verdicts are indeterminate, unless policy accepts that: --crl FILE.';
  return [...refused, { name: 'CRL', result: 'warning', detail: 'none is usable: revocation is unknown', advice }];
}

function crlFinding({ crl, usableUntilMs }: TrustedCrl, io: CliIo): Finding {
  const nowMs = io.clock.nowMs();
  const detail = `${crl.issuer.text}: ${String(crl.revokedCount)} revoked, of ${instantText(crl.thisUpdateMs)}, good until ${instantText(usableUntilMs)}`;
  if (crl.thisUpdateMs > nowMs)
    return { name: 'CRL', result: 'failed', detail, advice: 'It is from the future: look at the clock.' };
  if (nowMs <= usableUntilMs) return { name: 'CRL', result: 'ok', detail };
  return {
    name: 'CRL',
    result: 'failed',
    detail,
    advice: `Out of date since ${distanceText(usableUntilMs, nowMs)}: load the current one.`,
  };
}

/** Whether the cache can be read and written; what is in it, in numbers. */
export async function checkCache(options: Options<'cache'>, io: CliIo): Promise<Finding> {
  const directory = options.text('cache');
  const name = 'cache';
  if (directory === undefined) return { name, result: 'skipped', detail: 'no --cache' };
  try {
    if ((await io.files.list(directory)) === undefined) {
      return {
        name,
        result: 'warning',
        detail: `${directory} does not exist yet`,
        advice: 'It is made when the first certificate is stored.',
      };
    }
    await access(join(directory, '.'), constants.W_OK | constants.X_OK);
    const chains = (await cachedEnvelopes(directory, io)).length;
    return { name, result: 'ok', detail: `${directory}: writable, ${countText(chains, 'certificate chain')}` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return {
      name,
      result: 'failed',
      detail: `${directory}: cannot be used (${code})`,
      advice: 'It must be a directory that this user may write.',
    };
  }
}
