import { Hono } from 'hono';
import { stirApiProblem, stirApiProblemBody } from '../dialects/stir-api-problem.js';
import type { Readiness } from '../readiness.js';

/** What the routes that nobody waits for at a call are made of. */
export interface ProbeRoutesOptions {
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
