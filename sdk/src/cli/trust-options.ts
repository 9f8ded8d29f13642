import type { Clock } from '../core/runtime/clock.js';
import { loadTrustStore } from '../stir/index.js';
import type { TrustStore, TrustStoreFiles } from '../stir/index.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { UsageError } from './usage-error.js';

export type TrustOption = 'trust' | 'intermediates' | 'sti-pa-root' | 'sti-pa-signer' | 'crl' | 'crl-signer';

/** Whom to trust, and who was revoked. */
export const TRUST_OPTIONS: OptionSpecs<TrustOption> = {
  trust: {
    value: 'PATH',
    multiple: true,
    env: 'HOPBACK_TRUST',
    text: 'STI-CA root certificates (file or directory), or the signed list of the STI-PA',
  },
  intermediates: { value: 'PATH', multiple: true, text: 'further certificates that a path may go through' },
  'sti-pa-root': {
    value: 'PATH',
    multiple: true,
    env: 'HOPBACK_STI_PA_ROOT',
    text: 'root of the STI-PA: vouches for its list and its CRL, never for calls',
  },
  'sti-pa-signer': { value: 'FILE', text: "certificate chain of the list's signer, where the list does not carry it" },
  crl: { value: 'FILE', multiple: true, env: 'HOPBACK_CRL', text: "CRL, such as the STI-PA's (PEM or DER)" },
  'crl-signer': { value: 'PATH', multiple: true, env: 'HOPBACK_CRL_SIGNER', text: 'certificate of the CRL signer' },
};

/** Most bytes of a signed list that are looked at to tell it from certificates. */
const MAX_LIST_BYTES = 1024 * 1024;

/**
 * Loads the trust store that options name.
 * @param clock - as of when lists and CRLs are judged
 * @throws {@link UsageError} when no trust is named; {@link HopbackError} of `loadTrustStore`
 */
export async function loadTrust(options: Options<TrustOption>, io: CliIo, clock: Clock): Promise<TrustStore> {
  requireTrust(options);
  return loadTrustStore(await trustFiles(options, io), { clock });
}

/**
 * @param hints - what else the command at hand offers to whoever trusts nobody yet
 * @throws {@link UsageError} when no trust is named
 */
export function requireTrust(options: Options<TrustOption>, hints: readonly string[] = []): void {
  if (options.texts('trust').length > 0) return;
  throw new UsageError('nothing is trusted yet: say whom with --trust', [
    '--trust PATH takes the STI-CA root certificates or the signed list of the STI-PA; HOPBACK_TRUST stands in for it.',
    ...hints,
  ]);
}

async function trustFiles(options: Options<TrustOption>, io: CliIo): Promise<TrustStoreFiles> {
  return {
    anchors: await anchorFiles(options, io),
    stiPaRoots: options.texts('sti-pa-root'),
    intermediates: options.texts('intermediates'),
    crls: options.texts('crl'),
    crlSigners: options.texts('crl-signer'),
  };
}

async function anchorFiles(options: Options<TrustOption>, io: CliIo): Promise<TrustStoreFiles['anchors']> {
  const paths = options.texts('trust');
  const lists = await Promise.all(paths.map((path) => isSignedList(path, io)));
  const path = paths[lists.indexOf(true)];
  if (path === undefined) return { kind: 'files', paths };
  if (paths.length > 1) throw new UsageError(`${path} is a signed list: it is the only --trust then`);
  if (options.texts('sti-pa-root').length === 0) {
    throw new UsageError(`${path} is a signed list, and nothing says who may sign it`, [
      "Add the STI-PA's root certificate, obtained apart from the list: --sti-pa-root FILE",
    ]);
  }
  const signerChainPath = options.text('sti-pa-signer');
  return { kind: 'sti-pa-list', path, ...(signerChainPath === undefined ? {} : { signerChainPath }) };
}

/** A JWS begins with `eyJ`, base64url of `{"`. What cannot be read is for the trust store to report. */
async function isSignedList(path: string, io: CliIo): Promise<boolean> {
  const body = await io.files.read(path, MAX_LIST_BYTES).catch(() => undefined);
  return body !== undefined && Buffer.from(body.subarray(0, 64)).toString('latin1').trimStart().startsWith('eyJ');
}
