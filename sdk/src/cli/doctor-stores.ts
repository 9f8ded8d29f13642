import { join } from 'node:path';
import { access, constants } from 'node:fs/promises';
import type { TrustStore, TrustedCrl } from '../stir/index.js';
import { isHopbackError } from '../errors.js';
import { cachedEnvelopes } from './cache-directory.js';
import type { Finding } from './finding.js';
import type { CliIo } from './io.js';
import type { Options } from './options.js';
import { countText, distanceText, instantText } from './output.js';
import { loadTrust } from './trust-options.js';
import type { TrustOption } from './trust-options.js';
import { UsageError } from './usage-error.js';

/** A list that ends sooner should have been followed by the next. */
const LIST_MARGIN_MS = 24 * 3_600_000;

/** What was found of the trust store, and the store where there is one. */
export interface TrustCheck {
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
