import { createTestKey } from '../../sdk/src/testing/test-key.js';
import type { PlatformAnswer } from '../../sdk/src/contract/platform-answer.js';
import type { AnswerReceipt } from '../../sdk/src/contract/traceback-exchange.js';
import type {
  ProviderEntry,
  Traceback,
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
import type { TracebacksArea } from '../../harness/src/platform/tracebacks/index.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createTestContext, type TestContext } from './itg-context.js';
import { areaCalls, callerOf, STAFF, testEntry } from './itg-calls.js';
import { openTestDatabase } from './itg-database.js';
import { signAnswer } from './itg-reference.js';

/** Tuesday 10:00 in New York: requests of the first hours are due on Wednesday. */
const TRACEBACKS_START_MS = Date.UTC(2026, 1, 3, 15);
export const HOUR_MS = 3_600_000;
/** Number that is called in these tests: it may be nowhere in the database but sealed. */
export const CALLED = '+12025550143';
const CALLING = '+13035550199';

const { privateKey, publicKeyJwk } = createTestKey();

/** A provider of these tests by a letter or name; all sign with one key. */
function registeredProvider(letter: string, changes: Partial<ProviderEntry> = {}): RegisteredProvider {
  const entry = testEntry(`prv-${letter}`, { businessName: `Example ${letter}`, ...changes });
  const jwk = { ...publicKeyJwk, kid: `key-${letter}`, alg: 'ES256' };
  return { entry, zone: 'America/New_York', isReachable: true, answerKeys: [{ jwk }] };
}

/** A registry in memory: every id that begins with `prv-` is listed, but not the names that begin with `Nobody`. */
const PROVIDERS: ProviderDirectory = {
  provider: async (_reading, id) => find(id),
  providers: async (_reading, ids) => {
    const found = ids.map((id) => [id, find(id)] as const);
    return new Map(found.filter((pair): pair is readonly [string, RegisteredProvider] => pair[1] !== undefined));
  },
  resolve: async (_reading, reference) => resolution(reference),
  resolveAll: async (_reading, references) => references.map(resolution),
};

const find = (id: string): RegisteredProvider | undefined =>
  id.startsWith('prv-') ? registeredProvider(id.slice(4)) : undefined;

function resolution({ providerId, name }: ProviderReference): ProviderResolution {
  if (name.startsWith('Several')) return { status: 'several', providerIds: ['prv-a', 'prv-b'] };
  const provider = find(providerId ?? `prv-${name.replace(/^Example /, '')}`);
  return provider === undefined ? { status: 'unlisted' } : { status: 'found', provider };
}

const ORGANIZATIONS: OrganizationDirectory = {
  agencies: async () => [],
  agency: async (_reading, agencyId) =>
    agencyId.startsWith('agency-')
      ? { agencyId, name: agencyId, jurisdiction: 'US-TX', contactEmail: 'desk@agency.example' }
      : undefined,
  staff: async () => ['itg'],
};

export const carrier = (letter: string): Caller => callerOf(`prv-${letter}`, 'carrier');

/** An area with a database, a clock that stands still, and providers that answer when a test has them answer. */
export type TracebacksLab = Awaited<ReturnType<typeof createTracebacksLab>>;

/** @param live - records of carriers that neighbours are looked for in @param contextOf - what the area is given in place of the context */
export async function createTracebacksLab(
  options: { readonly live?: LiveReader; readonly contextOf?: (whole: TestContext) => TestContext } = {},
) {
  const { contextOf = (whole) => whole, ...more } = options;
  const opened = await openTestDatabase({ definitions: [tracebacksDefinition] });
  const context: TestContext = createTestContext({ database: opened, clock: new ManualClock(TRACEBACKS_START_MS) });
  const area: TracebacksArea = createTracebacksArea(contextOf(context), {
    ...{ providers: PROVIDERS, organizations: ORGANIZATIONS },
    signReceipt: ({ answerId }: AnswerReceipt) => `receipt.${Buffer.from(answerId).toString('base64url')}.signed`,
    ...more,
  });
  const calls = areaCalls(area, context.clock.nowMs);
  /** The newest request to a provider that has no answer. */
  const requestTo = async (letter: string): Promise<TracebackRequest> => {
    const page = await calls.value<{ items: TracebackRequestStatus[] }>('listTracebackRequests', carrier(letter));
    const last = page.items.at(-1);
    if (last === undefined) throw new Error(`nothing is asked of ${letter}`);
    return last.request;
  };
  return {
    ...{ context, area, requestTo, ...calls },
    open: async (opening: Partial<TracebackOpening> = {}): Promise<string> => {
      const body = { ...openingOf(), ...opening };
      return (await calls.value<Traceback>('openTraceback', STAFF, {}, body)).tracebackId;
    },
    /** A traceback as staff sees it. */
    shown: (tracebackId: string): Promise<Traceback> => calls.value('fetchTraceback', STAFF, { tracebackId }),
    answer: async (
      letter: string,
      finding: TracebackFinding,
      { request, ...changes }: Partial<TracebackAnswer> & { readonly request?: TracebackRequest } = {},
    ): Promise<PlatformAnswer> => {
      const asked = request ?? (await requestTo(letter));
      return calls.call('answerTracebackRequest', carrier(letter), {
        parameters: { requestId: asked.requestId },
        body: { answer: await signed(asked, finding, letter, changes) },
      });
    },
    pass: async (hours: number): Promise<void> => {
      context.clock.advance(hours * HOUR_MS);
      for (const { run } of area.jobs) await run(context.clock.nowMs());
    },
    runJob: async (name: string): Promise<void> => {
      await area.jobs.find((job) => job.name === name)?.run(context.clock.nowMs());
    },
    [Symbol.asyncDispose]: (): Promise<void> => opened.close(),
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

/** The answer of a provider, signed: of a record within the minute that was stated. */
export function signed(
  request: TracebackRequest,
  finding: TracebackFinding,
  letter: string,
  more: Partial<TracebackAnswer> = {},
): Promise<string> {
  const { called = CALLED, at } = request.call;
  const startedAt = new Date(Date.parse(`${at.local}Z`) + (at.precision === 'minute' ? 12_250 : 0)).toISOString();
  const call = {
    ...{ startedAt, called, calling: CALLING, disposition: 'answered' as const },
    ingressCallId: `in-${request.hop}@example`,
  };
  const said = { answeredAt: '2026-02-03T15:00:00Z', finding, call, ...more };
  return signAnswer({ answerKey: { keyId: `key-${letter}`, privateKey } }, request, said);
}

export const from = (letter: string): TracebackFinding => ({
  arm: 'received-from',
  upstream: { providerId: `prv-${letter}`, name: `Example ${letter}` },
});
