import { dirname, resolve } from 'node:path';
import { Registry } from 'prom-client';
import { DRAINING_SHARE } from '../../core/runtime/clock.js';
import { once } from '../../core/runtime/deadline.js';
import { requireConfigurationFile } from '../config/read-configuration.js';
import { probeRoutes, recordsReadiness } from '../metrics.js';
import { openApiDocument } from '../open-api/open-api-document.js';
import type { ProcessOptions } from '../sidecar.js';
import { causeText, oneAtATime, watchFiles } from '../services/files.js';
import type { RecordIntake } from '../../records/index.js';
import { openAdmin } from './open-admin.js';

/**
 * Starts what may wait beside several processes that answer calls: records, tracebacks, the admin listener.
 * @param options - as for a sidecar; `metricsText` puts the counts of the others in front of those of this process
 * @param isServing - whether calls are answered, by the processes beside this one
 * @returns what was started, once it listens; nothing of it where the configuration has neither
 * @throws {@link HopbackError} `invalid-configuration`, and those of what the configuration names
 */
export async function startAdmin(options: ProcessOptions, isServing: () => boolean) {
  const path = resolve(options.configurationPath);
  const directory = dirname(path);
  const { onNotice = () => undefined, clock = { nowMs: Date.now }, metricsText } = options;
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
      return {
        isReady,
        trust,
        signing: 'off',
        isDraining,
        ...recordsReadiness(opened.intake),
      };
    },
    contentType: registry.contentType,
    metricsText: metricsText === undefined ? own : () => metricsText(own),
    openApi: () => openApiDocument(configuration),
  });
  const admin = await openAdmin({
    configuration,
    directory,
    clock,
    onNotice,
    registry,
    probes,
  });
  opened.intake = admin.intake;
  /** Never rejects: what cannot be used is told, and leaves everything as it was. */
  const reload = oneAtATime(async (): Promise<void> => {
    try {
      const next = await requireConfigurationFile(path, options);
      (await admin.prepare(next))();
      configuration = next;
    } catch (error) {
      onNotice({ level: 'error', part: 'reload', text: causeText(error) });
    }
  });
  const files = (): readonly string[] => [path, ...admin.files];
  const endWatch = await watchFiles(files, () => configuration.reloadSeconds, reload);
  const close = once(async () => {
    isDraining = true;
    endWatch();
    await admin.close(configuration.drainSeconds * DRAINING_SHARE * 1_000);
  });
  return { listener: admin.listener, configuration: () => configuration, reload, close };
}
