import { type KamailioLaunch, startKamailioProcess } from './kamailio/process.js';
import { headerValues, openSipDatagrams, type SipDatagrams, statusCode } from './sip-datagrams.js';
import { createTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.js';

/** A Kamailio that checks Identity headers with its secsipid module. */
export interface KamailioVerifyOptions {
  readonly mode: 'verify';
  readonly credential:
    | { readonly publicKeyPem: string }
    | { readonly certificatePem: string }
    /** Fetched from the URL of the `info` parameter; `tlsCaPem` is the only CA the fetch then trusts. */
    | { readonly fromInfo: true; readonly tlsCaPem?: string };
  /** Age of `iat` beyond which the token is refused, seconds. Default 60; the module's own default is 300. */
  readonly expireSeconds?: number;
  /** When given, the certificate must chain to one of these and be within its dates; without, no certificate is checked. */
  readonly trustAnchorsPem?: string;
}

/** A Kamailio that signs what it relays with its secsipid module. */
export interface KamailioSignOptions {
  readonly mode: 'sign';
  /** SEC1 or PKCS #8. */
  readonly privateKeyPem: string;
  readonly x5u: string;
  /** Default `A`. */
  readonly attestation?: string;
  /** Default: a new UUID for each call. */
  readonly origId?: string;
}

/** What Kamailio made of an INVITE. */
export interface KamailioCheckResult {
  readonly ok: boolean;
  /** What `secsipid_check_identity` returned: 1, or one of libsecsipid's negative codes. */
  readonly code: number;
}

/** A running Kamailio. */
export interface Kamailio extends AsyncDisposable {
  /** UDP, on 127.0.0.1. */
  readonly port: number;
  readonly processId: number;
  /** Where its keys and sockets are, until it is closed. */
  readonly directory: string;
  /** Ends the process and removes its files. */
  readonly close: () => Promise<void>;
}

/** A running Kamailio that checks. */
export interface VerifyingKamailio extends Kamailio {
  /** Sends an INVITE and reads the result from the answer. @throws Error when no answer comes within 5 s */
  readonly check: (inviteText: string) => Promise<KamailioCheckResult>;
}

/** A running Kamailio that signs. */
export interface SigningKamailio extends Kamailio {
  /**
   * Sends an INVITE and returns the INVITE that the next hop got.
   * @throws Error when nothing comes out within 5 s, or with libsecsipid's code when it was not signed
   */
  readonly relay: (inviteText: string) => Promise<string>;
  /** The value of the Identity header Kamailio added: the last one of `relay`. */
  readonly sign: (inviteText: string) => Promise<string>;
}

/** On loopback an answer takes about a millisecond, or up to the module's HTTP timeout when it fetches. */
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Starts a Kamailio and resolves when it answers OPTIONS.
 * @throws Error with Kamailio's own log when it does not come up
 */
export async function startKamailio(options: KamailioVerifyOptions): Promise<VerifyingKamailio>;
export async function startKamailio(options: KamailioSignOptions): Promise<SigningKamailio>;
export async function startKamailio(
  options: KamailioVerifyOptions | KamailioSignOptions,
): Promise<VerifyingKamailio | SigningKamailio> {
  const directory = await createTemporaryDirectory();
  const datagrams = await openSipDatagrams();
  const release = async (): Promise<void> => {
    await datagrams.close();
    await directory.close();
  };
  try {
    const launch =
      options.mode === 'verify'
        ? await verifyLaunch(options, directory)
        : await signLaunch(options, { directory, nextHopPort: datagrams.port });
    const { port, processId, stop } = await startKamailioProcess(launch, { directory, datagrams });
    const close = async (): Promise<void> => {
      await stop();
      await release();
    };
    const running = { port, processId, directory: directory.path, close, [Symbol.asyncDispose]: close };
    return options.mode === 'verify' ? verifying(running, datagrams) : signing(running, datagrams);
  } catch (error) {
    await release();
    throw error;
  }
}

function verifying(running: Kamailio, datagrams: SipDatagrams): VerifyingKamailio {
  const check = async (inviteText: string): Promise<KamailioCheckResult> => {
    const answer = await exchange(inviteText, { datagrams, port: running.port });
    const code = Number(headerValues(answer, 'X-Secsipid')[0] ?? Number.NaN);
    if (Number.isNaN(code)) throw new Error(`Kamailio answered without a result: ${answer}`);
    return { ok: code > 0, code };
  };
  return { ...running, check };
}

function signing(running: Kamailio, datagrams: SipDatagrams): SigningKamailio {
  const relay = async (inviteText: string): Promise<string> => {
    // The signed INVITE and a refusal arrive at the same socket: it is both the sender and the next hop.
    const message = await exchange(inviteText, { datagrams, port: running.port });
    if (statusCode(message) === undefined) return message;
    throw new Error(`Kamailio did not sign: libsecsipid returned ${headerValues(message, 'X-Secsipid')[0] ?? '?'}`);
  };
  const sign = async (inviteText: string): Promise<string> => {
    const identity = headerValues(await relay(inviteText), 'Identity').at(-1);
    if (identity === undefined) throw new Error('Kamailio relayed the INVITE without an Identity header');
    return identity;
  };
  return { ...running, relay, sign };
}

async function verifyLaunch(options: KamailioVerifyOptions, directory: TemporaryDirectory): Promise<KamailioLaunch> {
  const { credential } = options;
  const environment: Record<string, string> = {};
  let keyFile = '';
  if (!('fromInfo' in credential)) {
    const pem = 'publicKeyPem' in credential ? credential.publicKeyPem : credential.certificatePem;
    keyFile = await directory.write('public.pem', pem);
  } else if (credential.tlsCaPem !== undefined) {
    environment['SSL_CERT_FILE'] = await directory.write('tls-ca.pem', credential.tlsCaPem);
  }
  const definitions: Record<string, string> = {
    KEY_FILE: quoted(keyFile),
    EXPIRE: String(options.expireSeconds ?? 60),
  };
  if (options.trustAnchorsPem !== undefined) {
    const anchors = await directory.write('ca.pem', options.trustAnchorsPem);
    definitions['CERT_CA_FILE'] = quoted(`CertCAFile=${anchors}`);
  }
  return { configuration: 'verify.cfg', definitions, environment };
}

async function signLaunch(
  options: KamailioSignOptions,
  { directory, nextHopPort }: { readonly directory: TemporaryDirectory; readonly nextHopPort: number },
): Promise<KamailioLaunch> {
  const definitions = {
    KEY_FILE: quoted(await directory.write('private.pem', options.privateKeyPem)),
    X5U: quoted(options.x5u),
    ATTEST: quoted(options.attestation ?? 'A'),
    ORIG_ID: quoted(options.origId ?? ''),
    NEXT_HOP: quoted(`sip:127.0.0.1:${nextHopPort}`),
  };
  return { configuration: 'sign.cfg', definitions, environment: {} };
}

/** A string of Kamailio's configuration language, in which `$` starts a variable. */
function quoted(text: string): string {
  if (/["\\$\r\n]/.test(text)) throw new Error(`not a plain string for Kamailio: ${text}`);
  return `"${text}"`;
}

async function exchange(
  inviteText: string,
  { datagrams, port }: { readonly datagrams: SipDatagrams; readonly port: number },
): Promise<string> {
  const callId = headerValues(inviteText, 'Call-ID')[0];
  if (callId === undefined) throw new Error('the INVITE has no Call-ID');
  const message = datagrams.next(callId, ANSWER_TIMEOUT_MS);
  datagrams.send(inviteText, port);
  const text = await message;
  if (text === undefined) throw new Error(`Kamailio did not answer within ${ANSWER_TIMEOUT_MS} ms`);
  return text;
}
