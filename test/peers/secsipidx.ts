import { execFile } from 'node:child_process';
import { peer } from '../peers.js';
import { createTemporaryDirectory } from './temporary-directory.js';

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
  readonly x5u: string;
}

/** Where `secsipidx -check` gets the signer's key from: a PEM, or over HTTPS with the only CA that the fetch then trusts. */
export type SecsipidxCredential =
  { readonly publicKeyPem: string } | { readonly url: string; readonly tlsCaPem: string };

/** A one-shot command that takes longer than this hangs: its own HTTP timeout is 3 s. */
const TIMEOUT_MS = 10_000;

/**
 * An Identity header value signed by secsipidx.
 * @throws Error with secsipidx's message when it does not sign
 */
export async function signWithSecsipidx(options: SecsipidxSignOptions): Promise<string> {
  await using directory = await createTemporaryDirectory();
  const key = await directory.write('key.pem', options.privateKeyPem);
  const { status, stdout, stderr } = await run([
    ...['-sign-full', '-k', key, '-orig-tn', options.orig, '-dest-tn', options.dest],
    ...['-attest', options.attestation, '-x5u', options.x5u],
  ]);
  if (status !== 0) throw new Error(`secsipidx did not sign: ${(stdout + stderr).trim()}`);
  return stdout.trim();
}

/** Asks secsipidx whether it accepts an Identity header that is no older than a minute. */
export async function isAcceptedBySecsipidx(identityHeader: string, credential: SecsipidxCredential): Promise<boolean> {
  await using directory = await createTemporaryDirectory();
  const identity = await directory.write('identity.txt', identityHeader);
  const check = (publicKey: string, environment: NodeJS.ProcessEnv): Promise<RunResult> =>
    run(['-check', '-fidentity', identity, '-p', publicKey, '-expire', '60'], environment);
  const { status } =
    'url' in credential
      ? await check(credential.url, { SSL_CERT_FILE: await directory.write('tls-ca.pem', credential.tlsCaPem) })
      : await check(await directory.write('public.pem', credential.publicKeyPem), {});
  return status === 0;
}

interface RunResult {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<RunResult> {
  const options = { timeout: TIMEOUT_MS, env: { ...process.env, ...environment } };
  return new Promise((resolve, reject) => {
    execFile(peer('secsipidx').path, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (error.code === 'ENOENT') reject(new Error(`secsipidx is not installed: ${peer('secsipidx').install}`));
      else resolve({ status: typeof error.code === 'number' ? error.code : undefined, stdout, stderr });
    });
  });
}
