import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { describe, test } from 'vitest';

/**
 * A real program or library that tests and benches hold ours against. To add one, write one more entry in `PEERS`:
 * how it is found on this machine, and the command that installs it.
 */
interface PeerDefinition {
  readonly find: () => { readonly path: string; readonly version?: string } | undefined;
  /** Debian packages that bring it. */
  readonly packages: readonly string[];
}

const LIBRARIES = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/local/lib',
  '/usr/lib',
];
const HEADERS = ['/usr/include', '/usr/local/include'];
/** Daemons live in sbin, which is not in every user's PATH. */
const SYSTEM_PROGRAMS = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin'];

const PEERS = {
  chromium: { find: () => program('chromium', ['--version']), packages: ['chromium'] },
  curl: { find: () => program('curl', ['--version']), packages: ['curl'] },
  faketime: { find: () => program('faketime', ['--version']), packages: ['faketime'] },
  kamailio: { find: () => kamailioWith('secsipid.so'), packages: ['kamailio', 'kamailio-secsipid-modules'] },
  'kamailio-http': {
    find: () => kamailioWith('http_async_client.so'),
    packages: ['kamailio', 'kamailio-extra-modules'],
  },
  libsecsipid: { find: () => libsecsipid(), packages: ['libsecsipid-dev', 'gcc', 'libc6-dev'] },
  libfiu: { find: () => program('fiu-run', ['-h']), packages: ['fiu-utils', 'libfiu0'] },
  lua: { find: () => program('lua5.4', ['-v']), packages: ['lua5.4'] },
  nats: { find: () => program('nats-server', ['--version']), packages: ['nats-server'] },
  openssl: { find: () => program('openssl', ['version']), packages: ['openssl'] },
  postgres: { find: () => postgres(), packages: ['postgresql'] },
  secsipidx: { find: () => program('secsipidx', ['-version']), packages: ['secsipidx'] },
  sipp: { find: () => program('sipp', ['-v']), packages: ['sip-tester'] },
  strace: { find: () => program('strace', ['-V']), packages: ['strace'] },
  systemd: { find: () => program('systemd-analyze', ['--version']), packages: ['systemd'] },
  tmpfs: { find: () => mountableTmpfs(), packages: ['mount'] },
  tshark: { find: () => program('tshark', ['-v']), packages: ['tshark'] },
  wrk: { find: () => program('wrk', ['-v']), packages: ['wrk'] },
} as const satisfies Record<string, PeerDefinition>;

/** Names of the peers that can be asked for. */
export type PeerName = keyof typeof PEERS;

/** Whether a peer is on this machine, where, and how to get it. */
export interface Peer {
  readonly name: PeerName;
  readonly available: boolean;
  /** The program, or for `libsecsipid` its header; empty when the peer is missing. */
  readonly path: string;
  /** As the peer prints it, e.g. `1.3.2`. */
  readonly version?: string;
  /** The command that installs it. */
  readonly install: string;
}

declare module 'vitest' {
  interface TaskMeta {
    /** The peers that a skipped test or suite waits for, each with the command that installs it. */
    missingPeers?: readonly { readonly name: string; readonly install: string }[];
  }
}

const looked = new Map<PeerName, Peer>();

/**
 * Looks for a peer on this machine; each is looked for once a process.
 * @param name - one of the names in `PEERS`
 */
export function peer(name: PeerName): Peer {
  const known = looked.get(name);
  if (known !== undefined) return known;
  const definition: PeerDefinition = PEERS[name];
  const install = `apt-get install -y ${definition.packages.join(' ')}`;
  const found = isHidden(name) ? undefined : definition.find();
  const made: Peer =
    found === undefined ? { name, available: false, path: '', install } : { name, available: true, install, ...found };
  looked.set(name, made);
  return made;
}

/**
 * A suite that needs real peers. Where one is missing the suite is skipped and the last lines of the run say which peer
 * and how to install it; with HOPBACK_FORBID_SKIPS=1 it fails instead.
 */
export function describePeer(names: PeerName | readonly PeerName[], title: string, body: () => void): void {
  const missing = missingOf(names);
  if (missing.length === 0) describe(title, body);
  else if (skipsAreForbidden()) describe(title, () => refuse(missing));
  else describe(title, { skip: true, meta: { missingPeers: missing } }, body);
}

/** One test that needs real peers; skipped or refused like {@link describePeer}. */
export function testPeer(
  names: PeerName | readonly PeerName[],
  title: string,
  body: () => void | Promise<void>,
  options: { readonly timeout?: number } = {},
): void {
  const missing = missingOf(names);
  if (missing.length === 0) test(title, options, body);
  else if (skipsAreForbidden()) describe(title, () => refuse(missing));
  else test(title, { ...options, skip: true, meta: { missingPeers: missing } }, body);
}

function missingOf(names: PeerName | readonly PeerName[]): readonly Peer[] {
  const list = typeof names === 'string' ? [names] : names;
  return list.map((name) => peer(name)).filter((found) => !found.available);
}

function skipsAreForbidden(): boolean {
  return process.env['HOPBACK_FORBID_SKIPS'] === '1';
}

/** HOPBACK_WITHOUT_PEERS=sipp,kamailio shows on a machine that has everything what one without them sees. */
function isHidden(name: string): boolean {
  return (process.env['HOPBACK_WITHOUT_PEERS'] ?? '').split(',').includes(name);
}

function refuse(missing: readonly Peer[]): void {
  for (const { name, install } of missing) {
    test(`${name} is installed`, () => {
      throw new Error(`${name} is missing and skips are forbidden here; get it with: ${install}`);
    });
  }
}

/** Finds a program in PATH or the system's folders; its version is the first dotted number that it prints. */
function program(name: string, versionArguments: readonly string[]): { path: string; version?: string } | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
    ...SYSTEM_PROGRAMS,
  ];
  const candidates = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
  const path = candidates.find((candidate) => isExecutable(candidate));
  if (path === undefined) return undefined;
  const said = spawnSync(path, versionArguments, {
    encoding: 'utf8',
    timeout: 10_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const version = /\d+\.\d+(?:\.\d+)?/.exec(`${said.stdout}${said.stderr}`)?.[0];
  return version === undefined ? { path } : { path, version };
}

function kamailioWith(module: string): { path: string; version?: string } | undefined {
  const found = program('kamailio', ['-v']);
  return found !== undefined && inFolders(LIBRARIES, join('kamailio', 'modules', module)) !== undefined
    ? found
    : undefined;
}

/** A file system of a few MiB that a test fills up: it takes root to mount one. */
function mountableTmpfs(): { path: string } | undefined {
  return process.getuid?.() === 0 ? program('mount', ['--version']) : undefined;
}

/** The C library takes three things: its header, the shared object to link with, and a compiler. */
function libsecsipid(): { path: string; version?: string } | undefined {
  const header = inFolders(HEADERS, 'libsecsipid.h');
  const library = inFolders(LIBRARIES, 'libsecsipid.so');
  return header !== undefined && library !== undefined && program('gcc', ['--version']) !== undefined
    ? { path: header }
    : undefined;
}

/** Debian keeps the servers of each version in a folder of its own, in nobody's PATH; the newest counts. */
function postgres(): { path: string; version?: string } | undefined {
  const versions = '/usr/lib/postgresql';
  const folders = existsSync(versions) ? readdirSync(versions).sort((a, b) => Number(b) - Number(a)) : [];
  const paths = folders.map((folder) => join(versions, folder, 'bin', 'postgres'));
  const path = paths.find((candidate) => isExecutable(candidate));
  return path === undefined ? program('postgres', ['--version']) : program(path, ['--version']);
}

function inFolders(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
