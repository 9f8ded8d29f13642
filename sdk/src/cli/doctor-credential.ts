import {
  certificateAlarms,
  lintCertificate,
  parseCertificateChain,
  readSigningCertificate,
  roleOf,
  tnAuthListText,
} from '../stir/index.js';
import type { Certificate, SigningCertificate, SynchronousSigner } from '../stir/index.js';
import { isHopbackError } from '../errors.js';
import { allowListOf, textFile } from './certificate-options.js';
import type { Finding } from './finding.js';
import type { CliIo } from './io.js';
import type { Options } from './options.js';
import { distanceText, instantText } from './output.js';
import { loadSigner } from './signing-options.js';
import type { CredentialOption } from './signing-options.js';

/** Key and certificate as found, for the checks that build on them. */
export interface CredentialCheck {
  readonly findings: readonly Finding[];
  readonly signingCertificate: SigningCertificate | undefined;
}

/** Whether there is a key and a certificate to sign with, and whether they belong together and to the provider. */
export async function checkCredential(options: Options<CredentialOption>, io: CliIo): Promise<CredentialCheck> {
  const key = await checkKey(options.text('key'), io);
  const certificate = await checkChain(options, io);
  const [leaf] = certificate.chain ?? [];
  const findings = [
    key.finding,
    certificate.finding,
    ...(leaf === undefined
      ? []
      : [expiryFinding(certificate.chain ?? [], io), ownerFinding(leaf, options.text('spc')), profileFinding(leaf)]),
    ...(leaf === undefined || key.signer === undefined ? [] : [matchFinding(leaf, key.signer)]),
  ];
  return { findings, signingCertificate: certificate.signingCertificate };
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

const SILENT = { isTty: false, write: (): void => undefined };

interface ChainCheck {
  readonly finding: Finding;
  readonly chain?: readonly Certificate[];
  readonly signingCertificate?: SigningCertificate;
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
    const x5u = options.text('x5u');
    if (x5u === undefined) return { finding: { name, result: 'ok', detail }, chain };
    const allow = allowListOf(options);
    const read = readSigningCertificate({ chainPem, x5u, ...(allow === undefined ? {} : { x5uPolicy: { allow } }) });
    if (read.status === 'unusable') return { finding: { name, result: 'failed', detail: read.detail }, chain };
    return { finding: { name, result: 'ok', detail }, chain, signingCertificate: read.signingCertificate };
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
