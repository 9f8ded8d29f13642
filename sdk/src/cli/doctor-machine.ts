import { generateKeyPairSync, verify } from 'node:crypto';
import { createLocalSigner } from '../stir/index.js';
import type { Finding } from './finding.js';
import type { CliIo } from './io.js';
import { instantText } from './output.js';

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

export function checkNode({ nodeVersion }: CliIo): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace('v', '').split('.').map(Number);
  const isEnough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  if (isEnough) return { name: 'node', result: 'ok', detail: nodeVersion };
  return {
    name: 'node',
    result: 'failed',
    detail: nodeVersion,
    advice: `Node ${MIN_NODE.join('.')} or newer is needed.`,
  };
}

/** Without asking anybody, only a clock that cannot be right is found out. */
export function checkClock({ clock }: CliIo): Finding {
  const nowMs = clock.nowMs();
  const detail = instantText(nowMs);
  if (nowMs >= EARLIEST_MS && nowMs < LATEST_MS) return { name: 'clock', result: 'ok', detail };
  return {
    name: 'clock',
    result: 'failed',
    detail,
    advice: 'Set the clock and keep it set (NTP): a PASSporT is fresh for 60 s.',
  };
}

/** Signs and verifies, and sees that a changed text does not verify. */
export async function checkSignatures({ elapsedMs }: CliIo): Promise<Finding> {
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
    return {
      name: 'ES256',
      result: 'failed',
      detail: 'signatures are not made or checked right',
      advice: 'Use another build of Node.',
    };
  }
  const signUs = Math.round(((signedMs - startMs) * 1000) / SELF_TEST_SIGNATURES);
  const verifyUs = Math.round(((verifiedMs - signedMs) * 1000) / SELF_TEST_SIGNATURES);
  const detail = `sign ${String(signUs)} µs, verify ${String(verifyUs)} µs`;
  if (verifyUs <= SLOW_VERIFY_US) return { name: 'ES256', result: 'ok', detail };
  return { name: 'ES256', result: 'warning', detail, advice: 'Slow for this algorithm: is the machine overloaded?' };
}

/** Certificates are fetched by name: without a name server every call with an unknown signer stays indeterminate. */
export function checkNameServers({ nameServers }: CliIo): Finding {
  const servers = nameServers();
  if (servers.length === 0) {
    return {
      name: 'name servers',
      result: 'failed',
      detail: 'none',
      advice: 'Certificates are fetched by host name: set a resolver.',
    };
  }
  const detail = `${servers.slice(0, 3).join(', ')}; certificates come over TCP 443 and 8443`;
  return { name: 'name servers', result: 'ok', detail };
}
