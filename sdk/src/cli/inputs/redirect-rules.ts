import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { abortedAfter, scheduleInBackground, wait } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { Attestation } from '../../stir/index.js';
import { redirectProfile } from '../../switch/index.js';
import { REDIRECT_PROFILES } from '../../switch/redirect/profile.js';
import type { RedirectProfile, RedirectRule, RedirectServer, TrunkPolicy } from '../../switch/index.js';
import type { RedirectProfileName } from '../../switch/redirect/profile.js';
import { namesOf, optionSpecs, UsageError } from '../kit/command.js';
import type { OptionsOf } from '../kit/command.js';
import { shownText } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';
import { whenAborted } from '../kit/status-line.js';
import { jsonFile } from './key-files.js';
import { attestationOf, FACT_OPTIONS } from './signing-options.js';

/** Which calls are signed and which verified, and how it is said. */
export const RULE_OPTIONS = optionSpecs({
  'mode <MODE>': {
    choices: ['verify', 'sign', 'by-request'],
    text: 'verify or sign all calls, or by-request: follow the rules of --rules',
  },
  'source <ADDRESS...>':
    'address or network (CIDR) of an SBC to serve; required with --mode sign; without it, --mode verify serves every SBC',
  'rules <FILE>': 'rules as JSON, for --mode by-request',
  'profile <NAME|FILE>': `dialect of the SBCs: ${Object.keys(REDIRECT_PROFILES).join(', ')}, or a profile as JSON; default standard`,
  'trunk-policy <FILE>': 'policy for verified calls, as JSON; default that of a terminating provider',
  ...FACT_OPTIONS,
});

const ONLY_TO_SIGN = namesOf(FACT_OPTIONS).filter((name) => name !== 'trunk');
/** Options that say nothing in a mode: whoever gives one means another. */
const USELESS: Readonly<Record<'verify' | 'sign' | 'by-request', readonly (keyof typeof RULE_OPTIONS)[]>> = {
  verify: ['rules', ...ONLY_TO_SIGN],
  sign: ['rules', 'trunk-policy'],
  'by-request': ['source', 'trunk', 'trunk-policy', ...ONLY_TO_SIGN.filter((name) => name !== 'policy')],
};

/** Rules and profile as options have them. */
export interface RedirectSettings {
  readonly rules: readonly RedirectRule[];
  readonly profile: RedirectProfile;
  /** Whether calls may bring a level of attestation: by a field that a profile reads, or by a rule. */
  readonly hearsRequests: boolean;
}

/** @throws {@link UsageError} for options that do not go together; {@link HopbackError} of the files */
export async function redirectSettings(options: OptionsOf<typeof RULE_OPTIONS>, io: CliIo): Promise<RedirectSettings> {
  const profile = await profileOption(options.text('profile') ?? 'standard', io);
  const rules = await rulesOf(options, io);
  const hearsRequests = rules.some(
    (rule) =>
      rule.mode === 'sign' &&
      (rule.attestation !== undefined || (rule.profile ?? profile).attestationFields.length > 0),
  );
  return { rules, profile, hearsRequests };
}

async function rulesOf(options: OptionsOf<typeof RULE_OPTIONS>, io: CliIo): Promise<readonly RedirectRule[]> {
  const mode = options.needed('mode', 'say what is done with calls: --mode verify, sign or by-request');
  const useless = USELESS[mode as keyof typeof USELESS].find((name) => options.isOn(name));
  if (useless !== undefined) throw new UsageError(`--${useless} is of no use with --mode ${mode}`);
  if (mode === 'by-request') return rulesFile(options.text('rules'), io);
  const sources = options.texts('source');
  const common = { name: options.text('trunk') ?? mode, ...(sources.length > 0 && { when: { sources } }) };
  if (mode === 'verify') {
    const path = options.text('trunk-policy');
    const policy = path === undefined ? undefined : ((await jsonFile(path, io)) as TrunkPolicy);
    return [{ ...common, mode, ...(policy !== undefined && { policy }) }];
  }
  if (sources.length === 0)
    throw new UsageError('say whose calls are signed: --source ADDRESS', [
      'Without it, anyone who reaches the drachtio server could have calls signed in your name.',
    ]);
  const { facts } = await attestationOf(options, io);
  const [level, basis] = [options.text('attest') as Attestation | undefined, options.text('basis')];
  const attestation = level === undefined || basis === undefined ? undefined : { level, basis };
  return [{ ...common, mode: 'sign', facts, ...(attestation !== undefined && { attestation }) }];
}

async function rulesFile(path: string | undefined, io: CliIo): Promise<readonly RedirectRule[]> {
  if (path === undefined) throw new UsageError('--mode by-request needs --rules FILE');
  const rules = await jsonFile(path, io);
  if (!Array.isArray(rules))
    throw new HopbackError('invalid-configuration', `${shownText(path)} must be a list of rules`);
  // The server looks at every member of each.
  return rules.map((rule: unknown, index) => {
    const which = `rule ${String(index + 1)} of ${shownText(path)}`;
    if (typeof rule !== 'object' || rule === null)
      throw new HopbackError('invalid-configuration', `${which} must be an object`);
    const { profile } = rule as { readonly profile?: unknown };
    return (profile === undefined ? rule : { ...rule, profile: profileOf(profile, which) }) as RedirectRule;
  });
}

async function profileOption(text: string, io: CliIo): Promise<RedirectProfile> {
  return isName(text) ? REDIRECT_PROFILES[text] : profileOf(await jsonFile(text, io), shownText(text));
}

/** A name, or members that differ from `standard` or from the profile that `basedOn` names. */
function profileOf(value: unknown, where: string): RedirectProfile {
  if (isName(value)) return REDIRECT_PROFILES[value];
  if (typeof value !== 'object' || value === null) throw notAProfile(where);
  const { basedOn = 'standard', ...partial } = value as Partial<RedirectProfile> & { readonly basedOn?: unknown };
  if (!isName(basedOn)) throw notAProfile(where);
  return redirectProfile(partial, REDIRECT_PROFILES[basedOn]);
}

const notAProfile = (where: string): HopbackError =>
  new HopbackError(
    'invalid-configuration',
    `${where}: a profile is ${Object.keys(REDIRECT_PROFILES).join(', ')}, or an object that may say one of these in basedOn`,
  );

const isName = (value: unknown): value is RedirectProfileName =>
  typeof value === 'string' && Object.hasOwn(REDIRECT_PROFILES, value);

/** Where a drachtio server is controlled. */
interface DrachtioAddress {
  readonly host: string;
  readonly port: number;
}

/** What happened to the connection. */
interface LinkNotice {
  readonly kind: 'connected' | 'unreachable' | 'lost';
  readonly detail: string;
}

/** What a connection is kept up with. */
export interface LinkOptions {
  readonly address: DrachtioAddress;
  readonly secret: string;
  readonly Srf: new () => SrfLike;
  /** Says what is done with requests; called anew for each connection. */
  readonly setUp: (srf: SrfLike) => void;
  readonly onNotice: (notice: LinkNotice) => void;
}

/** A connection to a drachtio server that is made again whenever it is lost. */
export type DrachtioLink = ReturnType<typeof keepConnected>;

/** drachtio-server's own when its configuration names none. */
const DEFAULT_PORT = 9022;
/** How long a connection may take: longer than any two machines of one network need. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Between attempts: at first as long as a restart takes at least, in the end so short that nobody waits for it. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** How long the server may take to close a connection that was ended. */
const CLOSE_TIMEOUT_MS = 2_000;

/** @throws {@link UsageError} for what is no `host:port` */
export function drachtioAddress(text: string): DrachtioAddress {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (host !== undefined && number >= 1 && number <= 65_535) return { host, port: number };
  throw new UsageError('--drachtio must be HOST:PORT, an IPv6 address in brackets', [
    `Without a port it is ${String(DEFAULT_PORT)}.`,
  ]);
}

/**
 * Keeps a connection up until it is closed. Its own reconnecting is not left to drachtio-srf: that cannot be called off, and its pauses
 * grow without end.
 */
export function keepConnected(options: LinkOptions) {
  const stop = new AbortController();
  const state: { srf: SrfLike | undefined } = { srf: undefined };
  const work = keepTrying(options, state, stop.signal);
  const refused = work.then(() => new Promise<never>(() => undefined));
  // Whoever does not wait for it hears of it from others.
  refused.catch(() => undefined);
  return {
    /** Rejects when there is no use in trying again: the server refuses the secret. Pending otherwise. */
    refused,
    isConnected: () => state.srf !== undefined,
    /** Has the server hand over no more requests with these methods. */
    leave: (methods: readonly string[]) => methods.forEach((method) => state.srf?.unregisterForMessages(method)),
    close: async () => {
      stop.abort();
      await work.catch(() => undefined);
    },
  };
}

async function keepTrying(
  options: LinkOptions,
  state: { srf: SrfLike | undefined },
  signal: AbortSignal,
): Promise<void> {
  // One listener for all connections.
  const stopped = whenAborted(signal);
  let pauseMs = FIRST_PAUSE_MS;
  let told: string | undefined;
  while (!signal.aborted) {
    const trouble = (await reach(options.address, signal)) ?? (await runOnce(options, state, stopped));
    // Once for each reason: whoever waits for a server for hours need not read it a thousand times.
    if (trouble !== undefined && trouble !== told && !signal.aborted)
      options.onNotice({ kind: 'unreachable', detail: trouble });
    told = trouble;
    if (trouble === undefined) pauseMs = FIRST_PAUSE_MS;
    await wait(pauseMs, signal).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Whether somebody listens: drachtio-srf cannot be told to give an attempt up, and a process that ends would wait for it. */
async function reach({ host, port }: DrachtioAddress, signal: AbortSignal): Promise<string | undefined> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, abortedAfter(CONNECT_TIMEOUT_MS)]) });
    return undefined;
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    return `${host}:${String(port)} cannot be reached (${name === 'AbortError' ? 'no answer' : (code ?? name)})`;
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

/**
 * @returns why it never came up; undefined when it was up
 * @throws {@link HopbackError} `unauthorized` when the server refuses the secret
 */
async function runOnce(
  { address, secret, Srf, setUp, onNotice }: LinkOptions,
  state: { srf: SrfLike | undefined },
  stopped: Promise<undefined>,
): Promise<string | undefined> {
  const place = `${address.host}:${String(address.port)}`;
  const srf = new Srf();
  const ended = new Promise<'ended'>((resolve) => {
    // Without a listener an error would end the process; a connection that failed is closed, too.
    srf.on('error', () => undefined);
    srf.on('close', () => resolve('ended'));
  });
  const connected = new Promise<'up' | Error>((resolve) => {
    srf.on('connect', (error) => resolve(error instanceof Error ? error : 'up'));
  });
  setUp(srf);
  // One attempt: the next is made here.
  srf.connect({ ...address, secret, enablePing: true, reconnect: { maxAttempts: 1 } });
  const cut = guardSocket(srf);
  const opened = await Promise.race([connected, ended, stopped, late(CONNECT_TIMEOUT_MS)]);
  if (opened instanceof Error)
    throw new HopbackError('unauthorized', 'the drachtio server refuses the secret of --secret-file', {
      cause: opened,
    });
  if (opened === 'up') {
    state.srf = srf;
    onNotice({ kind: 'connected', detail: place });
    const how = await Promise.race([ended, stopped]);
    state.srf = undefined;
    if (how === 'ended') onNotice({ kind: 'lost', detail: 'the connection was lost, and is made again' });
  }
  if (opened !== 'ended') await endConnection(srf, ended);
  // Somebody who says nothing would keep a socket for each attempt; what is closed already takes no harm.
  cut();
  return opened === 'up' ? undefined : `${place} does not answer as a drachtio server does`;
}

async function endConnection(srf: SrfLike, ended: Promise<unknown>): Promise<void> {
  try {
    srf.disconnect();
  } catch {
    // It is thrown where the connection is gone.
  }
  await Promise.race([ended, late(CLOSE_TIMEOUT_MS)]);
}

/** A wait that keeps no process from its end. */
const late = (delayMs: number): Promise<void> => new Promise((resolve) => void scheduleInBackground(resolve, delayMs));

/** What is used of an `Srf` of drachtio-srf: one connection to one drachtio server. */
interface SrfLike extends SocketHolder {
  readonly use: (method: string, handler: RedirectServer['invite']) => void;
  readonly on: (event: 'connect' | 'error' | 'close', listener: (error?: unknown, ...more: unknown[]) => void) => void;
  readonly connect: (options: Readonly<Record<string, unknown>>) => void;
  readonly unregisterForMessages: (method: string) => void;
  readonly disconnect: () => void;
}

/** Where drachtio-srf has its socket. None of it is promised: without it there is a connection without a guard. */
interface SocketHolder {
  readonly app?: {
    readonly client?: {
      readonly wp?: { readonly on: (event: 'connect', listener: (socket: Socket) => void) => void };
    };
  };
}

/** Listener of octets that came. */
type OnData = (octets: Uint8Array) => void;

/**
 * Guards the connection of an `Srf` that has just begun to connect: drachtio-srf throws at octets that are no frame of a drachtio server, from where nobody can
 * catch it, so that whatever else answers at the control port would end the process. Such a connection is closed instead.
 * @returns closes the connection, whether the other side does so too or not
 */
export function guardSocket({ app }: SocketHolder): () => void {
  let guarded: Socket | undefined;
  app?.client?.wp?.on('connect', (socket) => {
    guarded = socket;
    for (const listener of socket.listeners('data') as OnData[]) {
      socket.on('data', caught(listener, socket));
      socket.off('data', listener);
    }
  });
  return () => void guarded?.destroy();
}

const caught =
  (listener: OnData, socket: Socket): OnData =>
  (octets) => {
    try {
      listener(octets);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
  };

/** By name, so that it is looked for when it is needed and not when this package is compiled against. */
const DRACHTIO_SRF: string = 'drachtio-srf';

/**
 * Loads drachtio-srf, an optional peer dependency.
 * @throws {@link HopbackError} `unavailable` where it is not installed
 */
export async function loadSrf(): Promise<new () => SrfLike> {
  try {
    const { default: Srf } = (await import(DRACHTIO_SRF)) as { readonly default: new () => SrfLike };
    return Srf;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new HopbackError(
      'unavailable',
      'this needs the package drachtio-srf, which is not installed:\nnpm install drachtio-srf',
      { cause },
    );
  }
}
