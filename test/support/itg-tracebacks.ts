import type { KeyObject } from 'node:crypto';
import { createTestKey } from '../../sdk/src/testing/test-key.js';
import { CompactSign } from 'jose';
import type {
  AnswerReceipt,
  PlatformAnswer,
  ProviderEntry,
  TracebackOpening,
  TracebackRequestStatus,
} from '../../sdk/src/platform/index.js';
import type {
  ProviderReference,
  TracebackAnswer,
  TracebackFinding,
  TracebackRequest,
} from '../../sdk/src/traceback/index.js';
import type {
  Caller,
  LiveReader,
  OrganizationDirectory,
  ProviderDirectory,
  ProviderResolution,
  RegisteredProvider,
} from '../../harness/src/platform/core/index.js';
import { createTracebacksArea, tracebacksDefinition } from '../../harness/src/platform/tracebacks/index.js';
import type { TracebacksArea, TracebacksOptions } from '../../harness/src/platform/tracebacks/index.js';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createTestContext } from './itg-context.js';
import type { TestContext } from './itg-context.js';
import { openTestDatabase } from './itg-database.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';

/** Tuesday 10:00 in New York: requests of the first hours are due on Wednesday. */
export const TRACEBACKS_START_MS = Date.UTC(2026, 1, 3, 15);
export const HOUR_MS = 3_600_000;
/** Number that is called in these tests: it may be nowhere in the database but sealed. */
export const CALLED = '+12025550143';
export const CALLING = '+13035550199';

const { privateKey, publicKeyJwk } = createTestKey();

/** A provider of these tests by a letter or name; all sign with one key. */
export function registeredProvider(letter: string, changes: Partial<ProviderEntry> = {}): RegisteredProvider {
  const entry: ProviderEntry = {
    format: 'hopback.provider-entry.1',
    providerId: `prv-${letter}`,
    businessName: `Example ${letter}`,
    ...{ previousBusinessNames: [], otherDbaNames: [], country: 'US', isForeignVoiceServiceProvider: false },
    ...{ isVoiceServiceProvider: true, isGatewayProvider: false, isNonGatewayIntermediateProvider: false },
    ...{ implementation: 'complete', ocns: [], spcs: [], principals: [], affiliates: [] },
    updatedAt: '2026-01-01T00:00:00Z',
    ...changes,
  };
  const jwk = { ...publicKeyJwk, kid: `key-${letter}`, alg: 'ES256' };
  return { entry, zone: 'America/New_York', isReachable: true, answerKeys: [{ jwk }] };
}

/** A registry in memory, of whoever is asked for unless it is named otherwise. */
export function registryOf(
  known: ReadonlyMap<string, RegisteredProvider> | ((providerId: string) => RegisteredProvider | undefined),
): ProviderDirectory {
  const find = typeof known === 'function' ? known : (id: string) => known.get(id);
  const resolution = ({ providerId, name }: ProviderReference): ProviderResolution => {
    if (name.startsWith('Several')) return { status: 'several', providerIds: ['prv-a', 'prv-b'] };
    const provider = find(providerId ?? `prv-${name.replace(/^Example /, '')}`);
    return provider === undefined ? { status: 'unlisted' } : { status: 'found', provider };
  };
  return {
    provider: (_reading, providerId) => Promise.resolve(find(providerId)),
    providers: (_reading, ids) =>
      Promise.resolve(
        new Map(
          ids.flatMap((id) => {
            const provider = find(id);
            return provider === undefined ? [] : [[id, provider] as const];
          }),
        ),
      ),
    resolve: (_reading, reference) => Promise.resolve(resolution(reference)),
    resolveAll: (_reading, references) => Promise.resolve(references.map(resolution)),
  };
}

export const ORGANIZATIONS: OrganizationDirectory = {
  agencies: () => Promise.resolve([]),
  agency: (_reading, agencyId) =>
    Promise.resolve(
      agencyId.startsWith('agency-')
        ? { agencyId, name: agencyId, jurisdiction: 'US-TX', contactEmail: 'desk@agency.example' }
        : undefined,
    ),
  staff: () => Promise.resolve(['itg']),
};

const caller = (organizationId: string, kind: Caller['kind']): Caller => ({
  ...{ clientId: `client-${organizationId}`, organizationId, kind, scopes: [kind], name: organizationId },
});
export const STAFF = caller('itg', 'staff');
export const carrier = (letter: string): Caller => caller(`prv-${letter}`, 'carrier');

/** An area with a database, a clock that stands still, and providers that answer when they are told to. */
export interface TracebacksLab extends AsyncDisposable {
  readonly context: TestContext;
  readonly opened: OpenedDatabase;
  readonly area: TracebacksArea;
  readonly call: (
    operationId: string,
    by: Caller,
    request?: { readonly parameters?: Readonly<Record<string, string>>; readonly body?: unknown },
  ) => Promise<PlatformAnswer>;
  /** The value of an answer that is a success. */
  readonly value: <Value>(
    operationId: string,
    by: Caller,
    request?: { readonly parameters?: Readonly<Record<string, string>>; readonly body?: unknown },
  ) => Promise<Value>;
  readonly open: (opening?: Partial<TracebackOpening>) => Promise<string>;
  /** The newest request to a provider that has no answer. */
  readonly requestTo: (letter: string) => Promise<TracebackRequest>;
  readonly answer: (
    letter: string,
    finding: TracebackFinding,
    more?: Partial<TracebackAnswer> & { readonly request?: TracebackRequest },
  ) => Promise<PlatformAnswer>;
  readonly pass: (hours: number) => Promise<void>;
  readonly runJob: (name: string) => Promise<void>;
}

export async function createTracebacksLab(
  options: Partial<TracebacksOptions> & { readonly directory?: string; readonly live?: LiveReader } = {},
): Promise<TracebacksLab> {
  const opened = await openTestDatabase({ definitions: [tracebacksDefinition] });
  const clock = createManualClock(TRACEBACKS_START_MS);
  const context = createTestContext({ database: opened, clock });
  const area = createTracebacksArea(context, labOptions(options));
  return labOf({ opened, context, area });
}

export function labOptions(options: Partial<TracebacksOptions> = {}): TracebacksOptions {
  return {
    providers: registryOf((id) => (id.startsWith('prv-') ? registeredProvider(id.slice(4)) : undefined)),
    organizations: ORGANIZATIONS,
    receipts: { sign: (receipt: AnswerReceipt) => Promise.resolve(`receipt.${receipt.answerId}.signed`) },
    ...options,
  };
}

export function labOf(parts: Pick<TracebacksLab, 'opened' | 'context' | 'area'>): TracebacksLab {
  const { opened, context, area } = parts;
  const call: TracebacksLab['call'] = async (operationId, by, request = {}) => {
    const operation = area.operations[operationId];
    const route = area.routes.find((one) => one.operationId === operationId) ?? area.routes[0];
    if (operation === undefined || route === undefined) throw new Error(operationId);
    return operation({
      ...{ route, caller: by, atMs: context.clock.nowMs(), httpRequestId: 'req-1' },
      request: { parameters: request.parameters ?? {}, bytes: new Uint8Array(), body: request.body },
      signal: new AbortController().signal,
    });
  };
  const value = async <Value>(...asked: Parameters<TracebacksLab['call']>): Promise<Value> => {
    const answer = await call(...asked);
    if (answer.kind === 'json') return answer.value as Value;
    throw new Error(JSON.stringify(answer));
  };
  const requestTo: TracebacksLab['requestTo'] = async (letter) => {
    const page = await value<{ items: TracebackRequestStatus[] }>('listTracebackRequests', carrier(letter));
    const last = page.items.at(-1);
    if (last === undefined) throw new Error(`nothing is asked of ${letter}`);
    return last.request;
  };
  return {
    ...parts,
    call,
    value,
    requestTo,
    open: async (opening = {}) => {
      const body = { ...openingOf(), ...opening };
      const { tracebackId } = await value<{ tracebackId: string }>('openTraceback', STAFF, { body });
      return tracebackId;
    },
    answer: async (letter, finding, { request, ...more } = {}) => {
      const asked = request ?? (await requestTo(letter));
      const answer = answerFor(asked, finding, more);
      return call('answerTracebackRequest', carrier(letter), {
        parameters: { requestId: asked.requestId },
        body: { answer: await signed(answer, letter) },
      });
    },
    pass: async (hours) => {
      context.clock.advance(hours * HOUR_MS);
      for (const { run } of area.jobs) await run(context.clock.nowMs());
    },
    runJob: async (name) => {
      await area.jobs.find((job) => job.name === name)?.run(context.clock.nowMs());
    },
    [Symbol.asyncDispose]: () => opened.close(),
  };
}

export function openingOf(): TracebackOpening {
  return {
    direction: 'back',
    call: {
      ...{ called: CALLED, calling: CALLING },
      at: { asWritten: '2/2/2026 9:30 UTC', local: '2026-02-02T09:30', zone: 'UTC', precision: 'minute' },
    },
    campaign: { campaignId: 'c-1', name: 'SSA-Suspended-P2' },
    firstProvider: { providerId: 'prv-a', name: 'Example a' },
  };
}

/** The time of a record of the call: within the minute that was stated. */
function recordedAt({ call: { at } }: TracebackRequest): string {
  const statedMs = Date.parse(`${at.local}Z`);
  return new Date(at.precision === 'minute' ? statedMs + 12_250 : statedMs).toISOString();
}

export function answerFor(
  request: TracebackRequest,
  finding: TracebackFinding,
  more: Partial<TracebackAnswer> = {},
): TracebackAnswer {
  return {
    format: 'hopback.traceback-answer.1',
    ...{ answerId: `${request.requestId}.1`, requestId: request.requestId, tracebackId: request.tracebackId },
    ...{ revision: 1, answeredAt: '2026-02-03T15:00:00Z', provider: request.provider },
    answeredBy: { kind: 'automatic', policyId: 'p-1' },
    finding,
    call: {
      ...{ startedAt: recordedAt(request), called: request.call.called ?? CALLED, calling: CALLING },
      disposition: 'answered',
      ingressCallId: `in-${request.hop}@example`,
    },
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
    ...more,
  };
}

export function signed(answer: TracebackAnswer, letter: string, key: KeyObject = privateKey): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(answer)))
    .setProtectedHeader({ alg: 'ES256', kid: `key-${letter}`, typ: 'traceback-answer+jws' })
    .sign(key);
}

export const from = (letter: string): TracebackFinding => ({
  arm: 'received-from',
  upstream: { providerId: `prv-${letter}`, name: `Example ${letter}` },
});
