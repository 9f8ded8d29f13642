import { dirname, resolve } from 'node:path';
import { Registry } from 'prom-client';
import { DRAINING_SHARE } from '../../core/runtime/clock.js';
import type { SidecarConfiguration } from '../config/configuration.js';
import { requireConfigurationFile } from '../config/read-configuration.js';
import type { Listener } from '../http/listen.js';
import { probeRoutes, recordsReadiness } from '../metrics.js';
import { openApiDocument } from '../open-api/open-api-document.js';
import type { SidecarOptions } from '../sidecar.js';
import { causeText, once, oneAtATime, watchFiles } from '../services/files.js';
import type { RecordIntake } from '../../records/index.js';
import { openAdmin } from './open-admin.js';

/** Records, tracebacks and the admin listener in a process of their own. */
export interface AdminProcess {
  readonly listener: Listener | undefined;
  readonly configuration: () => SidecarConfiguration;
  /** Reads the configuration again. Never rejects: what cannot be used is told, and leaves everything as it was. */
  readonly reload: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What it is started with. */
export interface AdminOptions extends SidecarOptions {
  /** Whether calls are answered, by the processes beside this one. Default they are. */
  readonly isServing?: () => boolean;
}

/**
 * Starts what may wait beside several processes that answer calls: records, tracebacks, the admin listener.
 * @param options - as for a sidecar; `metricsText` puts the counts of the others in front of those of this process
 * @returns what was started, once it listens; nothing of it where the configuration has neither
 * @throws {@link HopbackError} `invalid-configuration`, and those of what the configuration names
 * @see {@link startSidecar}, which has all in one process
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const configurationPath = `${directory}/hopback.yaml`;
 * await writeFile(configurationPath, 'trust: { roots: [roots.pem] }\nlisten: { admin: { port: 0 } }\nrecords: { directory: store }\n');
 * const admin = await startAdmin({ configurationPath });
 * console.log((await fetch(`http://127.0.0.1:${admin.listener?.port}/livez`)).status); // 200
 * await admin.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function startAdmin(options: AdminOptions): Promise<AdminProcess> {
  const path = resolve(options.configurationPath);
  const directory = dirname(path);
  const { onNotice = () => undefined, clock = { nowMs: Date.now }, metricsText, isServing = () => true } = options;
  let configuration = await requireConfigurationFile(path, options);
  const registry = new Registry();
  let isDraining = false;
  /** Probes are made before the intake is opened. */
  const opened: { intake: RecordIntake | undefined } = { intake: undefined };
  const own = (): Promise<string> => registry.metrics();
  const probes = probeRoutes({
    readiness: () => {
      const isReady = isServing() && !isDraining;
      const trust = isServing() ? 'ready' : 'nobody answers calls';
      return { isReady, trust, signing: 'off', isDraining, ...recordsReadiness(opened.intake) };
    },
    contentType: registry.contentType,
    metricsText: metricsText === undefined ? own : () => metricsText(own),
    openApi: () => openApiDocument(configuration),
  });
  const admin = await openAdmin({ configuration, directory, clock, onNotice, registry, probes });
  opened.intake = admin.intake;
  const reload = async (): Promise<void> => {
    try {
      const next = await requireConfigurationFile(path, options);
      (await admin.prepare(next))();
      configuration = next;
    } catch (error) {
      onNotice({ level: 'error', part: 'reload', text: causeText(error) });
    }
  };
  const reloadInTurn = oneAtATime(reload);
  const files = (): readonly string[] => [path, ...admin.files];
  const watch = await watchFiles({ files, seconds: () => configuration.reloadSeconds, reload: reloadInTurn });
  const close = once(async () => {
    isDraining = true;
    watch.close();
    await admin.close(configuration.drainSeconds * DRAINING_SHARE * 1_000);
  });
  return { listener: admin.listener, configuration: () => configuration, reload: reloadInTurn, close };
}
