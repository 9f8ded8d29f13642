import { readFile } from 'node:fs/promises';
import { startReferencePlatform } from '../../platform/index.js';
import type { ReferencePlatform, ReferencePlatformOptions } from '../../platform/index.js';
import { createPlatformLog } from '../../platform/database/index.js';
import { FIRST_OPERATOR_CLIENT } from '../../platform/reference/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import { platformOrders } from './platform-orders.js';
import { boundHeap } from './heap-bounds.js';
import { fromLevel } from './level-log.js';
import { takeOrders } from './order-socket.js';
import { operatorProfile, writeProfile } from './profiles.js';
import { PLATFORM_OPTIONS, readPlatformSettings } from './settings.js';
import type { PlatformSettings } from './settings.js';
import { startFailureLine } from './start-failure.js';
import { startLines } from './shown-start.js';
import { PLATFORM_USAGE } from './usage.js';

/** Runs the reference platform until a signal ends it. @returns the exit code */
export async function runPlatform(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const asked = readCommandLine(argv, PLATFORM_OPTIONS);
  if (asked.status === 'not-understood') return misunderstood(io, asked.why);
  const [operand] = asked.positionals;
  if (asked.values.help) {
    io.stdout.write(PLATFORM_USAGE);
    return EXIT.ok;
  }
  if (operand !== undefined)
    return misunderstood(
      io,
      `platform ${operand}: it is platform, platform backup, platform restore or platform audit verify`,
    );
  const settings = readPlatformSettings(asked.values, io.stderr.isTTY);
  if (typeof settings === 'string') return misunderstood(io, settings);
  return serve(settings, io);
}

function misunderstood(io: HarnessProcess, why: string): number {
  io.stderr.write(`hopback-harness platform: ${why}\n\n${PLATFORM_USAGE}`);
  return EXIT.usage;
}

async function serve(settings: PlatformSettings, io: HarnessProcess): Promise<number> {
  const clock = { nowMs: () => Date.now() };
  const log = fromLevel(createPlatformLog({ clock, write: (line) => void io.stderr.write(line) }), settings.logLevel);
  // It answers before its start is over: who ends it then has it end in order too.
  const ending = untilSignal(io);
  let running: RunningPlatform;
  try {
    running = await started(settings, log);
  } catch (error) {
    io.stderr.write(`hopback-harness platform: ${startFailureLine(error, settings)}\n`);
    return EXIT.environment;
  }
  const { platform, profile } = running;
  const printer = printerOf(settings, io);
  // From the beginning of the process on: that is what whoever started it waited for.
  printer.started({ platform, profile, startedInMs: performance.now() });
  const leaving = new AbortController();
  const seeding = settings.seedsDemo ? seeded(running, { settings, signal: leaving.signal, printer }) : undefined;
  await ending;
  printer.ending();
  leaving.abort();
  await seeding;
  try {
    await running.close();
  } catch (error) {
    io.stderr.write(`hopback-harness platform: it did not end well: ${startFailureLine(error, settings)}\n`);
    return EXIT.environment;
  }
  printer.ended();
  return EXIT.ok;
}

interface RunningPlatform {
  readonly platform: ReferencePlatform;
  /** File of the profile of the first operator. */
  readonly profile: string;
  readonly close: () => Promise<void>;
}

type Log = NonNullable<ReferencePlatformOptions['log']>;

async function started(settings: PlatformSettings, log: Log): Promise<RunningPlatform> {
  const { directory, databaseUrl, host, port, publicUrl, trustedProxies } = settings;
  const tls = await tlsOf(settings);
  boundHeap();
  const platform = await startReferencePlatform({
    ...{ directory, host, port, trustedProxies, log },
    ...(databaseUrl !== undefined && { database: { url: databaseUrl } }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(tls !== undefined && { tls }),
  });
  try {
    const { keyId, file } = platform.home.operatorKey;
    const profile = operatorProfile(directory);
    await writeProfile(profile, { baseUrl: platform.url, clientId: FIRST_OPERATOR_CLIENT, keyId, keyFile: file });
    const orders = await takeOrders(directory, platformOrders(platform));
    const close = async (): Promise<void> => {
      try {
        await orders.close();
      } finally {
        await platform.close();
      }
    };
    return { platform, profile, close };
  } catch (error) {
    await platform.close();
    throw error;
  }
}

async function tlsOf({ tls }: PlatformSettings): Promise<ReferencePlatformOptions['tls']> {
  if (tls === undefined) return undefined;
  const { certificateFile, keyFile, clientCaFile } = tls;
  return {
    certificate: await readFile(certificateFile, 'utf8'),
    privateKey: await readFile(keyFile, 'utf8'),
    // Tokens are asked for in any case: a client without a certificate is none that came by a wrong way.
    ...(clientCaFile !== undefined && {
      clientCa: await readFile(clientCaFile, 'utf8'),
      requiresClientCertificate: false,
    }),
  };
}

/** What is printed of the course of a platform. */
interface Printer {
  readonly started: (started: {
    readonly platform: ReferencePlatform;
    readonly profile: string;
    readonly startedInMs: number;
  }) => void;
  /** How far the demo is: a line each. */
  readonly demo: (line: string) => void;
  readonly ending: () => void;
  readonly ended: () => void;
}

function printerOf(settings: PlatformSettings, { stdout }: HarnessProcess): Printer {
  const say = (text: string): void => void stdout.write(`${text}\n`);
  const event = (name: string, members: Readonly<Record<string, unknown>> = {}): void =>
    say(JSON.stringify({ event: name, ...members }));
  if (settings.isJson) {
    return {
      started: ({ platform, profile, startedInMs }) => {
        const { url, tokenUrl, port, database } = platform;
        const where = { directory: settings.directory, engine: database.engine, profile };
        const warnings = platform.warnings();
        event('ready', {
          ...{ url, tokenUrl, port, ...where, startedInMs: Math.round(startedInMs) },
          ...(warnings.length > 0 && { warnings }),
        });
      },
      demo: (line) => event('demo', { line }),
      ending: () => event('ending'),
      ended: () => event('ended'),
    };
  }
  return {
    started: ({ platform, profile, startedInMs }) => {
      const { url, home } = platform;
      const warnings = platform.warnings();
      const about = { url, profile, keys: home.folders.keys, startedInMs, warnings };
      const lines = startLines(settings, about, process.cwd());
      say(lines.join('\n'));
    },
    demo: (line) => say(line),
    ending: () => say('\nEnding: what is being worked on is done first.'),
    ended: () => say('Ended.'),
  };
}

/** Fills an empty platform, while it is there for everybody. Never rejects: a platform without a demo is one nevertheless. */
async function seeded(
  { platform }: RunningPlatform,
  by: { readonly settings: PlatformSettings; readonly signal: AbortSignal; readonly printer: Printer },
): Promise<void> {
  const { settings, signal, printer } = by;
  const { seedDemo } = await import('../seed/seed-demo.js');
  try {
    await seedDemo({
      ...{ baseUrl: platform.url, directory: settings.directory, signal, here: process.cwd() },
      operator: platform.home.operatorKey,
      say: printer.demo,
    });
  } catch (error) {
    if (!signal.aborted) printer.demo(`! The demo is not whole: ${startFailureLine(error, settings)}`);
  }
}

/** The first signal is taken, and the second one left to do what it does. */
function untilSignal(io: HarnessProcess): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      io.off('SIGINT', end);
      io.off('SIGTERM', end);
      resolve();
    };
    io.once('SIGINT', end);
    io.once('SIGTERM', end);
  });
}
