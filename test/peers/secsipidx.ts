import { execFile } from 'node:child_process';
import { peer } from '../peers.js';
import { codeOfExitStatus, type LibsecsipidCode } from './libsecsipid/return-codes.js';
import { createTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.js';

/** What `secsipidx -sign-full` is told. It takes `iat` from its own clock, whatever `-iat` says. */
export interface SecsipidxSignOptions {
  /** SEC1 or PKCS #8. */
  readonly privateKeyPem: string;
  /** Goes into `orig.tn` as it is, a leading `+` included. */
  readonly orig: string;
  /** Goes into `dest.tn` as it is, always as the only number. */
  readonly dest: string;
  /** Any text: secsipidx does not look at it. */
  readonly attestation: string;
  /** Default: a UUID of secsipidx's own. */
  readonly origId?: string;
  readonly x5u: string;
}

/** What `secsipidx -sign` is told: both JSON texts, signed as they are. */
export interface SecsipidxSignJsonOptions {
  readonly privateKeyPem: string;
  readonly passportHeader: string;
  readonly passportPayload: string;
}

/** Where `secsipidx -check` gets the signer's key from. */
export type SecsipidxCredential =
  | { readonly publicKeyPem: string }
  | { readonly certificatePem: string }
  /** Fetched over HTTP or HTTPS; `tlsCaPem` is the only CA the fetch then trusts. */
  | { readonly url: string; readonly tlsCaPem?: string };

/** What `secsipidx -check` is told. */
export interface SecsipidxCheckOptions {
  readonly identityHeader: string;
  readonly credential: SecsipidxCredential;
  /** Age of `iat` beyond which the token is refused, seconds. Default 60; secsipidx itself defaults to 0. */
  readonly expireSeconds?: number;
  /** When given, the certificate must chain to one of these and be within its dates; without, no certificate is checked. */
  readonly trustAnchorsPem?: string;
}

/** What secsipidx made of an Identity header. */
export interface SecsipidxCheckResult {
  readonly ok: boolean;
  /** The library's code, recovered from the exit status; `undefined` when secsipidx ended in another way. */
  readonly code: LibsecsipidCode | undefined;
  readonly output: string;
}

/** A one-shot command that takes longer than this hangs: its own HTTP timeout is 3 s. */
const TIMEOUT_MS = 10_000;
/** `-cert-verify` is a set of bits: 1 is the dates, 4 the CA file. Any bit turns the chain check on. */
const VERIFY_DATES_AND_CA_FILE = 5;

/**
 * An Identity header value signed by secsipidx.
 * @throws Error with secsipidx's message when it does not sign
 */
export async function signWithSecsipidx(options: SecsipidxSignOptions): Promise<string> {
  await using directory = await createTemporaryDirectory();
  const key = await directory.write('key.pem', options.privateKeyPem);
  const origId = options.origId === undefined ? [] : ['-orig-id', options.origId];
  const numbers = ['-orig-tn', options.orig, '-dest-tn', options.dest];
  return await signed([
    '-sign-full',
    '-k',
    key,
    ...numbers,
    '-attest',
    options.attestation,
    '-x5u',
    options.x5u,
    ...origId,
  ]);
}

/**
 * A PASSporT (no header parameters) over JSON texts of the caller, signed by secsipidx: for any `iat` and any claim.
 * @throws Error with secsipidx's message when it does not sign
 */
export async function signJsonWithSecsipidx(options: SecsipidxSignJsonOptions): Promise<string> {
  await using directory = await createTemporaryDirectory();
  const key = await directory.write('key.pem', options.privateKeyPem);
  return await signed(['-sign', '-k', key, '-header', options.passportHeader, '-payload', options.passportPayload]);
}

/** Asks secsipidx whether it accepts an Identity header. */
export async function checkWithSecsipidx(options: SecsipidxCheckOptions): Promise<SecsipidxCheckResult> {
  await using directory = await createTemporaryDirectory();
  const identity = await directory.write('identity.txt', options.identityHeader);
  const { publicKey, environment } = await credential(options.credential, directory);
  const trust =
    options.trustAnchorsPem === undefined
      ? []
      : [
          ...['-cert-verify', String(VERIFY_DATES_AND_CA_FILE)],
          ...['-ca-file', await directory.write('ca.pem', options.trustAnchorsPem)],
        ];
  const expire = ['-expire', String(options.expireSeconds ?? 60)];
  const result = await run(['-check', '-fidentity', identity, '-p', publicKey, ...expire, ...trust], environment);
  const code = result.status === undefined ? undefined : codeOfExitStatus(result.status);
  return { ok: result.status === 0, code, output: (result.stdout + result.stderr).trim() };
}

async function credential(
  source: SecsipidxCredential,
  directory: TemporaryDirectory,
): Promise<{ readonly publicKey: string; readonly environment: Readonly<Record<string, string>> }> {
  if ('url' in source) {
    const environment =
      source.tlsCaPem === undefined ? {} : { SSL_CERT_FILE: await directory.write('tls-ca.pem', source.tlsCaPem) };
    return { publicKey: source.url, environment };
  }
  const pem = 'publicKeyPem' in source ? source.publicKeyPem : source.certificatePem;
  return { publicKey: await directory.write('public.pem', pem), environment: {} };
}

async function signed(args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run(args, {});
  if (status !== 0) throw new Error(`secsipidx did not sign: ${(stdout + stderr).trim()}`);
  return stdout.trim();
}

interface RunResult {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<RunResult> {
  const options = { timeout: TIMEOUT_MS, env: { ...process.env, ...environment } };
  return new Promise((resolve, reject) => {
    execFile(peer('secsipidx').path, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (error.code === 'ENOENT') reject(new Error(`secsipidx is not installed: ${peer('secsipidx').install}`));
      else resolve({ status: typeof error.code === 'number' ? error.code : undefined, stdout, stderr });
    });
  });
}
