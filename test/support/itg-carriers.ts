import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrivateKey } from 'node:crypto';
import {
  createRouteMatcher,
  PLATFORM_ROUTES,
  problemAnswer,
  problemDocument,
  readPlatformRequest,
  WIRE_SCHEMAS,
} from '../../sdk/src/platform/index.js';
import type { PlatformAnswer } from '../../sdk/src/platform/index.js';
import { createMemoryRecordStore } from '../../sdk/src/records/index.js';
import { createTestKey, sampleCallRecord } from '../../sdk/src/testing/index.js';
import { createCarrierResponder } from '../../sdk/src/traceback/index.js';
import type { CarrierResponder } from '../../sdk/src/traceback/index.js';
import type { RegisteredProvider } from '../../harness/src/platform/core/index.js';
import { isSealedData, openJson } from '../../harness/src/platform/database/index.js';
import {
  createReceiptSigner,
  createTracebacksArea,
  tracebacksDefinition,
} from '../../harness/src/platform/tracebacks/index.js';
import { createTestContext } from './itg-context.js';
import type { TestEvent } from './itg-context.js';
import { openTestDatabase } from './itg-database.js';
import { carrier, labOf, labOptions, registeredProvider, registryOf } from './itg-tracebacks.js';
import type { TracebacksLab } from './itg-tracebacks.js';

/** A platform of tracebacks, and carriers in a row that have a call on record and answer by the SDK. */
export interface CarrierChain extends AsyncDisposable {
  readonly lab: TracebacksLab;
  readonly responders: readonly CarrierResponder[];
  /** The call that all of them have: its number, and when it came in. */
  readonly call: { readonly called: string; readonly calling: string; readonly startedAtMs: number };
}

const BASE_URL = 'http://127.0.0.1:9';

/** Starts them: `a` delivered the call, and the last one had it from abroad. Their letters are those of the alphabet. */
export async function startCarrierChain(length: number): Promise<CarrierChain> {
  const letters = Array.from({ length }, (_none, index) => String.fromCharCode(97 + index));
  const keys = new Map(letters.map((letter) => [letter, createTestKey()]));
  const receiptKey = createTestKey();
  const registered = (id: string): RegisteredProvider | undefined => {
    const letter = id.slice(4);
    if (letter === 'abroad') return registeredProvider(letter, { isForeignVoiceServiceProvider: true, country: 'DE' });
    const key = keys.get(letter);
    if (key === undefined) return undefined;
    const jwk = { ...key.publicKeyJwk, kid: `key-${letter}`, alg: 'ES256' };
    return { ...registeredProvider(letter), answerKeys: [{ jwk }] };
  };
  const opened = await openTestDatabase({ definitions: [tracebacksDefinition] });
  const clock = { nowMs: Date.now, schedule: () => () => undefined };
  const context = {
    ...createTestContext({ database: opened }),
    clock: { ...createTestContext({ database: opened }).clock, ...clock },
  };
  const receipts = createReceiptSigner({
    ...{ keyId: 'receipts-1', algorithm: 'ES256' },
    privateKey: createPrivateKey(receiptKey.privateKeyPem),
  });
  const area = createTracebacksArea(context, labOptions({ providers: registryOf(registered), receipts }));
  const bare = labOf({ opened, context, area });
  const streams = new Map<string, ReadableStreamDefaultController<Uint8Array>>();
  const { serve, pump } = createServe(bare, streams);
  const lab: TracebacksLab = {
    ...bare,
    open: async (opening) => {
      const tracebackId = await bare.open(opening);
      await pump();
      return tracebackId;
    },
  };
  const receiptKeys = { keys: [{ ...receiptKey.publicKeyJwk, kid: 'receipts-1', alg: 'ES256', use: 'sig' }] };
  const directory = await mkdtemp(join(tmpdir(), 'hopback-chain-'));
  const nowMs = Date.now() - 3_600_000;
  const sample = sampleCallRecord();
  const responders = await Promise.all(
    letters.map(async (letter, index) => {
      const [down, up] = [letters[index - 1], letters[index + 1] ?? 'abroad'];
      const store = createMemoryRecordStore({ clock });
      const record = sampleCallRecord({
        ...{ inviteAtUs: (nowMs - 100 * index) * 1_000, legId: `leg-${index}` },
        ingress: { trunk: `from-${up}`, callId: `call-${index + 1}` },
        egress: down === undefined ? { trunk: 'subscribers' } : { trunk: `to-${down}`, callId: `call-${index}` },
      });
      await store.insert([record]);
      await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: Date.now() * 1_000 });
      const key = keys.get(letter) ?? createTestKey();
      const trunkOf = (trunk: string, other: string) => ({
        trunk,
        provider: { providerId: `prv-${other}`, name: `Example ${other}` },
      });
      return createCarrierResponder({
        ...{ directory: join(directory, letter), store, zone: 'America/New_York' },
        provider: { providerId: `prv-${letter}`, name: `Example ${letter}` },
        trunks: {
          directoryId: 'chain',
          trunks: [
            trunkOf(`from-${up}`, up),
            down === undefined ? { trunk: 'subscribers', customer: {} } : trunkOf(`to-${down}`, down),
          ],
        },
        answerKey: { privateKeyPem: key.privateKeyPem, keyId: `key-${letter}` },
        platform: {
          ...{ baseUrl: BASE_URL, receiptKeys, clientId: `client-${letter}`, key: key.privateKeyPem, keyId: 'k' },
          fetch: serve(letter),
        },
      });
    }),
  );
  return {
    lab,
    responders,
    call: { called: sample.called?.tn ?? '', calling: sample.calling?.tn ?? '', startedAtMs: nowMs },
    [Symbol.asyncDispose]: async () => {
      for (const responder of responders) await responder.close();
      for (const stream of streams.values()) stream.close();
      await opened.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Serves the operations of the area in this process, each carrier as itself, and hands events on as they are committed. */
function createServe(
  lab: TracebacksLab,
  streams: Map<string, ReadableStreamDefaultController<Uint8Array>>,
): { readonly serve: (letter: string) => Fetch; readonly pump: () => Promise<void> } {
  const match = createRouteMatcher(PLATFORM_ROUTES);
  let position = 0;
  let pumping: Promise<void> = Promise.resolve();
  const pump = (): Promise<void> =>
    (pumping = pumping.then(async () => {
      const events = await lab.context.events();
      for (const event of events.filter((one) => one.position > position)) {
        position = event.position;
        if (!event.type.startsWith('org.hopback.traceback-request.')) continue;
        const data = await opened(lab, event);
        const envelope = {
          ...{
            specversion: '1.0',
            id: `e-${event.position}`,
            source: '/itg',
            type: event.type,
            subject: event.subject,
          },
          ...{ time: new Date().toISOString(), datacontenttype: 'application/json', data },
        };
        const text = `id: ${envelope.id}\nevent: ${event.type}\ndata: ${JSON.stringify(envelope)}\n\n`;
        for (const to of event.audience) streams.get(to)?.enqueue(Buffer.from(text));
      }
    }));
  const serve =
    (letter: string): Fetch =>
    async (input, init) => {
      const request = new Request(input, {
        ...init,
        ...(init?.body !== undefined && { duplex: 'half' }),
      });
      const url = new URL(request.url);
      if (url.pathname === '/oauth/token')
        return Response.json({ access_token: 'token', token_type: 'Bearer', expires_in: 3_600 });
      if (url.pathname === '/v1/events') {
        const stream = new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(Buffer.from(': hello\n\n'));
            streams.set(`prv-${letter}`, controller);
            void pump();
          },
          // Whoever reads has ended: there is nothing to be closed any more.
          cancel: () => void streams.delete(`prv-${letter}`),
        });
        return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
      }
      const matched = match(request.method, url.pathname);
      if (matched === undefined) return written(problemAnswer('not-found'), 404);
      const reading = await readPlatformRequest(request, { ...matched, url, schemas: WIRE_SCHEMAS });
      if (reading.status === 'refused') return written(problemAnswer(reading.code, { errors: reading.errors }), 400);
      const { operationId, response } = matched.route;
      const known = lab.area.operations[operationId] !== undefined;
      const answer: PlatformAnswer = known
        ? await lab.call(operationId, carrier(letter), {
            parameters: reading.request.parameters,
            body: reading.request.body,
          })
        : { kind: 'json', value: { items: [] } };
      void pump();
      return written(answer, response.status);
    };
  return { serve, pump };
}

/** The data as they are brought to organizations: in the clear, below the name of their member. */
async function opened({ context }: TracebacksLab, { data }: TestEvent): Promise<unknown> {
  if (!isSealedData(data)) return data;
  const { member, sealed } = data;
  const reason = { organizationId: 'platform', actor: 'platform', object: 'event' };
  const [value] = await context.transact((transaction) => openJson(context, transaction, { pieces: [sealed], reason }));
  return { [member]: value };
}

function written(answer: PlatformAnswer, status: number): Response {
  if (answer.kind === 'json') return Response.json(answer.value, { status });
  if (answer.kind !== 'problem') return new Response(null, { status: 204 });
  const document = problemDocument(answer, 'req-1');
  return new Response(JSON.stringify(document), {
    status: document.status,
    headers: { 'content-type': 'application/problem+json' },
  });
}
