import type { IncomingMessage, RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Registry } from 'prom-client';
import type { Clock } from '../../core/runtime/clock.js';
import type { RecordIntake } from '../../records/index.js';
import type { SidecarConfiguration } from '../config/configuration.js';
import { stirApiProblem, stirApiProblemBody } from '../dialects/stir-api-problem.js';
import { createClients } from '../http/clients.js';
import type { ClientMarks, Clients } from '../http/clients.js';
import { listen } from '../http/listen.js';
import type { Listener } from '../http/listen.js';
import { recordIntakeApp } from '../intake/index.js';
import { DEFAULT_INTAKE_LIMITS } from '../intake/index.js';
import { pathFrom } from '../services/files.js';
import { causeText } from '../services/notice.js';
import type { OnNotice } from '../services/notice.js';
import { addIntakeMetrics } from './admin-metrics.js';
import { openRecords, recordSources } from './open-records.js';
import { openTracebacks } from './open-tracebacks.js';
import type { Tracebacks } from './open-tracebacks.js';

/** What may wait: records and tracebacks, and the listener that they are offered at. */
export interface Admin {
  readonly listener: Listener | undefined;
  readonly intake: RecordIntake | undefined;
  /** Files that are read again. */
  readonly files: readonly string[];
  /**
   * Reads tokens, sources, accounts and secrets; other sources are in force then, if nothing else is wrong.
   * @returns puts the rest in force
   * @throws {@link HopbackError} for what cannot be used, which leaves all as it was
   */
  readonly prepare: (configuration: SidecarConfiguration) => Promise<() => void>;
  /** @param drainMs - for requests under way at its listener */
  readonly close: (drainMs: number) => Promise<void>;
}

/** What it is opened with. */
export interface OpenAdminOptions {
  readonly configuration: SidecarConfiguration;
  readonly directory: string;
  readonly clock: Clock;
  readonly onNotice: OnNotice;
  /** Gets the counts of the intake. */
  readonly registry: Registry;
  /** Probes and metrics, as the call listener has them. */
  readonly probes: Hono;
}

/**
 * Opens records, tracebacks and the admin listener, as far as the configuration has them.
 * @throws {@link HopbackError} for whatever cannot be used or listened at; nothing is left open then
 */
export async function openAdmin(options: OpenAdminOptions): Promise<Admin> {
  const { configuration, directory, clock, onNotice, registry } = options;
  const { records, tracebacks, listen: addresses } = configuration;
  const opened: (() => Promise<void>)[] = [];
  try {
    const intake = records && (await openRecords(records, { directory, clock, onNotice }));
    if (intake !== undefined) {
      opened.unshift(() => intake.close());
      addIntakeMetrics(registry, { state: () => intake.state(), nowMs: () => clock.nowMs() });
    }
    const desk =
      tracebacks && intake && (await openTracebacks(tracebacks, { configuration, directory, clock, intake, onNotice }));
    if (desk !== undefined) opened.unshift(() => desk.close());
    const state = { admin: addresses.admin, clients: addresses.admin && createClients(addresses.admin) };
    const listener =
      addresses.admin &&
      (await listen(addresses.admin, {
        directory,
        handler: handlerOf(options, { intake, desk, clients: () => state.clients }),
      }));
    return {
      ...{ listener, intake },
      files: [
        ...(listener?.files ?? []),
        ...(desk?.files ?? []),
        ...(records?.sources ?? []).map((file) => pathFrom(directory, file)),
      ],
      async prepare(next) {
        const commitListener = await listener?.prepare();
        const commitDesk = await desk?.prepare();
        // Last, since it is done when it has succeeded.
        if (intake !== undefined && next.records !== undefined)
          await intake.replaceSources(await recordSources(next.records, directory));
        return () => {
          commitListener?.();
          commitDesk?.();
          const before = JSON.stringify(state.admin);
          state.admin = next.listen.admin;
          if (state.admin !== undefined && JSON.stringify(state.admin) !== before)
            state.clients = createClients(state.admin);
        };
      },
      async close(drainMs) {
        await listener?.close(drainMs);
        await closeAll(opened.splice(0), onNotice);
      },
    };
  } catch (error) {
    await closeAll(opened, onNotice);
    throw error;
  }
}

async function closeAll(opened: readonly (() => Promise<void>)[], onNotice: OnNotice): Promise<void> {
  for (const close of opened)
    await close().catch((error: unknown) => onNotice({ level: 'error', part: 'admin', text: causeText(error) }));
}

interface Parts {
  readonly intake: RecordIntake | undefined;
  readonly desk: Tracebacks | undefined;
  readonly clients: () => Clients | undefined;
}

const marksOf = ({ socket, headers: { authorization } }: IncomingMessage): ClientMarks => ({
  remoteAddress: socket.remoteAddress ?? 'unknown',
  authorization,
});

/** Routes of machines ask for a token; webhooks are known by their signature, and people log in. */
const MACHINE_ROUTES = /^\/v1\/(?:records|freeswitch)(?:\/|$)|^\/metrics$/;

function handlerOf(
  { configuration, onNotice, probes }: OpenAdminOptions,
  { intake, desk, clients }: Parts,
): RequestListener {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(async (context, next) => {
    const admitted = MACHINE_ROUTES.test(context.req.path)
      ? clients()?.admit(marksOf(context.env.incoming), Date.now())
      : undefined;
    if (admitted === undefined || admitted.status === 'admitted') {
      await next();
      return undefined;
    }
    const problem = stirApiProblem(admitted.status === 'unknown' ? 'not-authenticated' : 'too-many-requests');
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (admitted.status === 'too-many') headers['Retry-After'] = String(admitted.retryAfterSeconds);
    else headers['WWW-Authenticate'] = 'Bearer';
    return context.body(stirApiProblemBody(problem), { status: admitted.status === 'unknown' ? 401 : 429, headers });
  });
  if (intake !== undefined) {
    const maxBodyBytes = configuration.listen.admin?.maxBodyBytes ?? DEFAULT_INTAKE_LIMITS.maxBodyBytes;
    const onFailed = (cause: unknown): void => onNotice({ level: 'error', part: 'records', text: causeText(cause) });
    const maxInFlightBytes = Math.max(maxBodyBytes, DEFAULT_INTAKE_LIMITS.maxInFlightBytes);
    app.route('/', recordIntakeApp({ intake, limits: { maxBodyBytes, maxInFlightBytes }, onFailed }));
  }
  if (desk !== undefined) app.route('/', desk.desk.app);
  app.route('/', probes);
  app.notFound((context) =>
    context.body(stirApiProblemBody(stirApiProblem('not-found')), 404, { 'Content-Type': 'application/json' }),
  );
  const answer = getRequestListener(app.fetch);
  return (request, response) => void answer(request, response);
}
