import { Hono } from 'hono';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { RecordIntake } from '../records/index.js';
import type { CallVerdict } from '../stir/index.js';
import { stirApiProblem, stirApiProblemBody } from './dialects/stir-api.js';
import type { SidecarServices } from './services/sidecar-services.js';

/** Whether the service can do what it is there for. */
export interface Readiness {
  readonly isReady: boolean;
  /** `trust`: somebody is trusted. `signing`: the key and certificate can be used; `off` where nothing is signed here. */
  readonly trust: 'ready' | 'nobody is trusted yet' | 'nobody answers calls';
  readonly signing: string;
  readonly isDraining: boolean;
  /** `ready`, or which sources are stuck: calls are answered all the same. Absent where no records are taken in. */
  readonly records?: string;
}

/** How the sources of an intake fare, for {@link Readiness}. */
export function recordsReadiness(intake: RecordIntake | undefined): Pick<Readiness, 'records'> {
  if (intake === undefined) return {};
  const stuck = intake.state().sources.filter(({ isStuck }) => isStuck);
  return { records: stuck.length === 0 ? 'ready' : `stuck: ${stuck.map(({ id }) => id).join(', ')}` };
}

/**
 * @param services - in force
 * @param isDraining - the process is about to end
 */
export function readinessOf({ trust, signing }: SidecarServices, isDraining: boolean): Readiness {
  const isTrusting = trust.current() !== undefined;
  const obstacle = signing?.service.obstacle();
  return {
    isReady: isTrusting && obstacle === undefined && !isDraining,
    trust: isTrusting ? 'ready' : 'nobody is trusted yet',
    signing: signing === undefined ? 'off' : (obstacle?.detail ?? 'ready'),
    isDraining,
  };
}

/** What is counted, under the names that dashboards ask for. No label ever has a telephone number. */
export type SidecarMetrics = ReturnType<typeof createSidecarMetrics>;

/** From what a verification takes in memory to what a caller notices, seconds. */
const BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * Makes the metrics of one process.
 * @param services - those in force, asked when somebody reads
 * @returns counters, and the registry that they are read from
 */
export function createSidecarMetrics(services: () => SidecarServices | undefined) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const verifications = tally(
    registry,
    'stir_verifications_total',
    'Calls verified, by verdict; reason is the first one, or none',
    ['verstat', 'attest', 'reason'],
  );
  const verifySeconds = new Histogram({
    name: 'stir_verify_duration_seconds',
    help: 'Time that a verification took, certificates included',
    buckets: BUCKETS,
    registers,
  });
  const signings = tally(
    registry,
    'stir_signings_total',
    'Calls that were to be signed, by attestation and by what became of them',
    ['attest', 'outcome'],
  );
  const signSeconds = new Histogram({
    name: 'stir_sign_duration_seconds',
    help: 'Time that a signature took',
    buckets: BUCKETS,
    registers,
  });
  const heartbeats = new Counter({ name: 'stir_heartbeats_total', help: 'Requests that were no calls', registers });
  const answers = tally(registry, 'hopback_http_responses_total', 'Requests answered, by route and status', [
    'route',
    'status',
  ]);
  const reloads = new Counter({
    name: 'hopback_reloads_total',
    help: 'Times that the configuration was looked at again; kept: what changed could not be used',
    labelNames: ['outcome'],
    registers,
  });
  gaugesOf(services, registry);
  return {
    registry,
    /** A call that was verified. @param seconds - that it took */
    verified({ verstat, attestation, reasons }: CallVerdict, seconds: number): void {
      verifications(verstat, attestation ?? '', reasons[0] ?? 'none');
      verifySeconds.observe(seconds);
    },
    /** A call that was to be signed: its level, empty where it was not signed; `signed`, or why not; and the seconds that it took. */
    signed({ attest, outcome }: { readonly attest: string; readonly outcome: string }, seconds: number): void {
      signings(attest, outcome);
      signSeconds.observe(seconds);
    },
    heartbeat: () => heartbeats.inc(),
    /** A request that was answered. @param route - name of the route, not its path */
    answered: (route: string, status: number) => answers(route, String(status)),
    reloaded: (outcome: 'changed' | 'unchanged' | 'kept') => reloads.inc({ outcome }),
  };
}

/**
 * A counter with labels whose counts are kept here and handed on when somebody reads: the registry puts the labels of each count together
 * anew, which a call would pay for three times.
 */
function tally(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
): (...labels: readonly string[]) => void {
  const counts = new Map<string, { readonly labels: Readonly<Record<string, string>>; count: number }>();
  const counter: Counter = new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const { labels, count } of counts.values()) counter.inc(labels, count);
    },
  });
  return (...values) => {
    const key = values.join(' ');
    const known = counts.get(key);
    if (known !== undefined) known.count += 1;
    else
      counts.set(key, {
        labels: Object.fromEntries(labelNames.map((label, at) => [label, values[at] ?? ''])),
        count: 1,
      });
  };
}

/** What is looked at when somebody reads. */
function gaugesOf(services: () => SidecarServices | undefined, registry: Registry): void {
  const registers = [registry];
  const gauge = (
    name: string,
    help: string,
    aggregator: 'sum' | 'min',
    value: (of: SidecarServices) => number | undefined,
  ): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      registers,
      aggregator,
      collect: () => {
        const of = services();
        made.set((of && value(of)) ?? Number.NaN);
      },
    });
  };
  const counter = (name: string, help: string, value: (of: SidecarServices) => number): void => {
    const made: Counter = new Counter({
      name,
      help,
      registers,
      collect: () => {
        made.reset();
        const of = services();
        made.inc(of === undefined ? 0 : value(of));
      },
    });
  };
  counter('stir_cert_cache_hits_total', 'Look-ups of certificates answered from memory', ({ certificates }) => {
    const { hits, staleHits } = certificates.stats();
    return hits + staleHits;
  });
  counter(
    'stir_cert_cache_misses_total',
    'Look-ups of certificates for which disk or network was asked',
    ({ certificates }) => certificates.stats().misses,
  );
  gauge('stir_cert_cache_entries', 'Chains in memory', 'sum', ({ certificates }) => certificates.stats().entries);
  // Of several processes the one that is worst off is told of: a sum of dates never runs out.
  gauge(
    'stir_trust_anchors',
    'Certificates of STI-CAs that are trusted; 0: nothing can be verified',
    'min',
    ({ trust }) => trust.current()?.anchors.length ?? 0,
  );
  gauge(
    'stir_signing_cert_expiry_seconds',
    'When the signing certificate ends, seconds since the epoch',
    'min',
    ({ signing }) => signing && signing.certificate.certificate.notAfterMs / 1_000,
  );
}

/** What the routes that nobody waits for at a call are made of. */
interface ProbeRoutesOptions {
  readonly readiness: () => Readiness;
  /** Text of `/metrics`. */
  readonly metricsText: () => Promise<string>;
  /** Type of that text. */
  readonly contentType: string;
  /** What is told of the API. */
  readonly openApi: () => Readonly<Record<string, unknown>>;
}

/**
 * `/livez`: the process answers. `/readyz`: it can verify, and sign where it is to; 503 where not, and while it ends. `/metrics`: Prometheus text.
 * `/openapi.json`: the routes of calls.
 * @param options - what they tell
 * @returns routes, to be mounted
 */
export function probeRoutes({ readiness, metricsText, contentType, openApi }: ProbeRoutesOptions): Hono {
  const app = new Hono();
  app.get('/livez', (context) => context.text('ok\n'));
  app.get('/readyz', (context) => {
    const state = readiness();
    return context.json(state, state.isReady ? 200 : 503);
  });
  app.get('/metrics', async (context) => {
    return context.body(await metricsText(), 200, { 'Content-Type': contentType });
  });
  app.get('/openapi.json', (context) => context.json(openApi()));
  app.notFound((context) =>
    context.body(stirApiProblemBody(stirApiProblem('not-found')), 404, { 'Content-Type': 'application/json' }),
  );
  return app;
}
