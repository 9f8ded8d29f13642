import { readFile } from 'node:fs/promises';
import { HopbackError } from '@hopback/sdk/errors';
import { EXIT, refuseOperands, UsageError, valuesOf } from '@hopback/sdk/internal/cli';
import type { ExitCode } from '@hopback/sdk/internal/cli';
import { createPlatformLog } from '../platform/database/index.js';
import { startReferencePlatform } from '../platform/index.js';
import type { ReferencePlatformOptions } from '../platform/index.js';
import { FIRST_OPERATOR_CLIENT } from '../platform/reference/reference-platform.js';
import { signalled } from './harness-io.js';
import { operatorProfile, startFailureLine, startLines, writeProfile } from './platform/start.js';
import { fromLevel, PLATFORM_OPTIONS, readPlatformSettings } from './platform/settings.js';
import { platformOrders, takeOrders } from './platform/orders.js';
import { setV8AfterLoading } from './platform/v8-settings.js';
import type { PlatformSettings } from './platform/settings.js';
import type { HarnessCommand, HarnessIo } from './harness-io.js';

/** `hopback-harness platform` */
export const PLATFORM: HarnessCommand = {
  usage: ['[options]'],
  options: PLATFORM_OPTIONS,
  notes: [
    'Runs the reference platform of a traceback group: carriers and applications stream into it, it finds campaigns, traces calls back, alerts ' +
      'agencies and answers their demands. It needs no other service.',
    'It writes a profile of its first operator to operator.json in its folder; the other commands use this profile. It runs until SIGINT or SIGTERM.',
    'Exit codes: 0 ended by a signal; 2 the command line cannot be understood; 4 an address, folder, key or database is not usable.',
  ],
  run: async (options, io) => {
    refuseOperands(options, ['There are platform, platform backup, platform restore and platform audit verify.']);
    const settings = readPlatformSettings(valuesOf(PLATFORM_OPTIONS, options), io.stderr.isTty);
    if (typeof settings === 'string') throw new UsageError(settings);
    return serve(settings, io);
  },
};

async function serve(settings: PlatformSettings, io: HarnessIo): Promise<ExitCode> {
  const clock = { nowMs: () => Date.now() };
  const log = fromLevel(createPlatformLog({ clock, write: (line) => io.stderr.write(line) }), settings.logLevel);
  // It answers before its start is over: who ends it then has it end in order too.
  const leaving = signalled(io.process);
  let running: RunningPlatform;
  try {
    running = await started(settings, log);
    setV8AfterLoading();
  } catch (error) {
    throw new HopbackError('unavailable', startFailureLine(error, settings), { cause: error });
  }
  const printer = printerOf(settings, io);
  // From the beginning of the process on: that is what whoever started it waited for.
  printer.started(running, performance.now());
  const seeding = settings.seedsDemo ? seeded(running, { settings, signal: leaving.signal, printer }) : undefined;
  await leaving.left;
  printer.ending();
  await seeding;
  try {
    await running.close();
  } catch (error) {
    throw new HopbackError('unavailable', `it did not shut down cleanly: ${startFailureLine(error, settings)}`, {
      cause: error,
    });
  }
  printer.ended();
  return EXIT.ok;
}

type RunningPlatform = Awaited<ReturnType<typeof started>>;

async function started(settings: PlatformSettings, log: NonNullable<ReferencePlatformOptions['log']>) {
  const { directory, databaseUrl, host, port, publicUrl, trustedProxies } = settings;
  const tls = await tlsOf(settings);
  const platform = await startReferencePlatform({
    directory,
    host,
    port,
    trustedProxies,
    log,
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

/** Prints the course of a platform: lines, or the same as lines of JSON. */
function printerOf(settings: PlatformSettings, { stdout }: HarnessIo) {
  const print = (event: object, ...lines: readonly string[]): void =>
    stdout.write(`${settings.isJson ? JSON.stringify(event) : lines.join('\n')}\n`);
  return {
    started: ({ platform, profile }: RunningPlatform, startedInMs: number) => {
      const { url, tokenUrl, port, database, home } = platform;
      const warnings = platform.warnings();
      print(
        {
          event: 'ready',
          url,
          tokenUrl,
          port,
          directory: settings.directory,
          engine: database.engine,
          profile,
          startedInMs: Math.round(startedInMs),
          ...(warnings.length > 0 && { warnings }),
        },
        ...startLines(
          settings,
          {
            url,
            profile,
            keys: home.folders.keys,
            startedInMs,
            warnings,
          },
          process.cwd(),
        ),
      );
    },
    /** How far the demo is. */
    demo: (line: string) => print({ event: 'demo', line }, line),
    ending: () => print({ event: 'ending' }, '\nEnding: requests in progress are finished first.'),
    ended: () => print({ event: 'ended' }, 'Ended.'),
  };
}

/** Fills an empty platform, while it is there for everybody. Never rejects: a platform without a demo is one nevertheless. */
async function seeded(
  { platform }: RunningPlatform,
  by: {
    readonly settings: PlatformSettings;
    readonly signal: AbortSignal;
    readonly printer: ReturnType<typeof printerOf>;
  },
): Promise<void> {
  const { settings, signal, printer } = by;
  const { seedDemo } = await import('./seed/seed-demo.js');
  try {
    await seedDemo({
      baseUrl: platform.url,
      directory: settings.directory,
      signal,
      here: process.cwd(),
      operator: platform.home.operatorKey,
      say: printer.demo,
    });
  } catch (error) {
    if (!signal.aborted) printer.demo(`! The demo is incomplete: ${startFailureLine(error, settings)}`);
  }
}
