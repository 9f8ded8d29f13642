import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { PlatformClient, privateKeyJwt } from '@hopback/sdk/platform';
import type { ProviderEntry } from '@hopback/sdk/platform';
import { createLocalAnswerSigner, signAnswer } from '@hopback/sdk/traceback';
import type { AnswerSigner, TracebackAnswer, TracebackFinding, TracebackRequest } from '@hopback/sdk/traceback';
import { keptSecret } from '../../platform/database/index.js';
import { routeOf } from '../api/commands.js';
import { writeProfile } from '../platform/start.js';
import { DEMO_AGENCIES, DEMO_APP, DEMO_PROVIDERS, DEMO_REVIEWER, demoProvider, recordIdOfCall } from './demo-calls.js';
import type { DemoCall, DemoProvider } from './demo-calls.js';

/** Somebody who calls the platform in the demo. */
export interface DemoMember {
  readonly word: string;
  readonly clientId: string;
  readonly client: PlatformClient;
  /** Public half of the key of its client, with `kid`. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** Where members of a demo have their profiles and keys. */
export const demoFolder = (directory: string): string => join(directory, 'demo');

/** A key of P-256 in a file that its owner alone may read, made where it is not there. */
export async function demoKey(
  path: string,
  keyId: string,
): Promise<{ readonly pem: string; readonly jwk: Readonly<Record<string, unknown>> }> {
  const kept = await keptSecret(path, () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' });
  });
  const pem = kept.toString('utf8');
  return { pem, jwk: { ...createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' }), kid: keyId } };
}

/** The client of a member, with its key and profile in the folder of the demo. */
export async function demoMember(
  word: string,
  { baseUrl, directory }: { readonly baseUrl: string; readonly directory: string },
): Promise<DemoMember> {
  const folder = demoFolder(directory);
  const [keyId, clientId, keyFile] = [`${word}-1`, `demo-${word}`, join(folder, `${word}.pem`)];
  const { pem, jwk } = await demoKey(keyFile, keyId);
  await writeProfile(join(folder, `${word}.json`), { baseUrl, clientId, keyId, keyFile });
  return {
    word,
    clientId,
    jwk,
    client: await clientOf({ baseUrl, clientId, keyId, key: pem }),
  };
}

/** A client that signs its own assertions. */
export async function clientOf(by: {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly keyId: string;
  readonly key: string;
}): Promise<PlatformClient> {
  const { baseUrl, clientId, keyId, key } = by;
  const authorization = await privateKeyJwt({ tokenUrl: `${baseUrl}/oauth/token`, clientId, keyId, key });
  return new PlatformClient({ baseUrl, authorization });
}

/** Calls a route beside the contract. Rejects as every call of a client. */
export async function callOperation(
  client: PlatformClient,
  operationId: string,
  {
    signal,
    ...params
  }: {
    readonly parameters?: Readonly<Record<string, string | number>>;
    readonly body?: unknown;
    readonly signal: AbortSignal;
  },
): Promise<unknown> {
  const result = await client.call(routeOf(operationId), params, { signal });
  return result.kind === 'json' ? result.value : undefined;
}

/** Puts the providers of the demo into the registry. Said again it changes nothing. */
export async function fillRegistry(operator: PlatformClient, signal: AbortSignal): Promise<void> {
  for (const provider of DEMO_PROVIDERS) {
    const { providerId, zone, isRemoved } = provider;
    const parameters = { providerId };
    await callOperation(operator, 'putProvider', { parameters, body: entryOf(provider), signal });
    await callOperation(operator, 'setProviderOffice', { parameters, body: { zone }, signal });
    if (isRemoved !== true) continue;
    const body = { removedOn: '2026-03-02', reason: 'Removed by an order, in this demo.' };
    await callOperation(operator, 'removeProvider', { parameters, body, signal });
  }
}

function entryOf({ word, providerId, name, role, spc, frn }: DemoProvider): ProviderEntry {
  const isAbroad = role === 'abroad';
  return {
    format: 'hopback.provider-entry.1',
    providerId,
    businessName: name,
    frn,
    previousBusinessNames: [],
    otherDbaNames: [],
    country: isAbroad ? 'NZ' : 'US',
    isForeignVoiceServiceProvider: isAbroad,
    isVoiceServiceProvider: role === 'serves-subscribers' || isAbroad,
    isGatewayProvider: role === 'gateway',
    isNonGatewayIntermediateProvider: role === 'intermediate',
    implementation: isAbroad ? 'none' : 'complete',
    robocallMitigationContact: { name: 'Robocall mitigation', email: `tracebacks@${word}.example` },
    ocns: [],
    spcs: spc === undefined ? [] : [spc],
    principals: [],
    affiliates: [],
    ...(!isAbroad && { certified24HoursOn: '2026-01-15' }),
    updatedAt: '2026-01-15T00:00:00Z',
  };
}

/** Registers everybody who calls, and the keys that answers are signed with. Said again it changes nothing. */
export async function enrolMembers(
  operator: PlatformClient,
  by: {
    readonly members: ReadonlyMap<string, DemoMember>;
    readonly carriers: readonly DemoCarrier[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { members, carriers, signal } = by;
  const organizations = [
    ...DEMO_PROVIDERS.filter(({ isMember }) => isMember).map(({ word, providerId, name }) => ({
      word,
      organization: { organizationId: providerId, kind: 'carrier', name },
    })),
    ...[DEMO_APP, ...DEMO_AGENCIES].map(({ word, organizationId, kind, name, jurisdiction }) => ({
      word,
      organization: {
        organizationId,
        kind,
        name,
        ...(jurisdiction !== undefined && { jurisdiction, contactEmail: `robocalls@${organizationId}.example` }),
      },
    })),
  ];
  for (const { organization } of organizations)
    await callOperation(operator, 'registerOrganization', { body: organization, signal });
  const reviewer = { ...DEMO_REVIEWER, roles: ['reviewer', 'analyst'] };
  const clients = [
    ...organizations.map(({ word, organization: { organizationId, name } }) => ({ word, organizationId, name })),
    reviewer,
  ];
  for (const { word, ...client } of clients) {
    const member = members.get(word);
    if (member === undefined) continue;
    const body = { ...client, clientId: member.clientId, keys: [{ jwk: member.jwk }] };
    await callOperation(operator, 'registerClient', { body, signal });
  }
  for (const { word, answerJwk } of carriers)
    await callOperation(operator, 'addAnswerKey', {
      parameters: { providerId: `prv-${word}` },
      body: { jwk: answerJwk },
      signal,
    });
}

/** A carrier of the demo that answers what it is asked, by its own records and signed with its own key. */
export interface DemoCarrier {
  readonly word: string;
  /** Public half of the key of its answers, with `kid`. */
  readonly answerJwk: Readonly<Record<string, unknown>>;
  /** Answers what stands open and can be answered. @returns how many requests it answered */
  readonly answerOpen: (signal: AbortSignal) => Promise<number>;
}

/** Makes the carrier; its answer key lies in the folder of the demo. */
export async function demoCarrier(
  { word, client }: DemoMember,
  { directory, calls }: { readonly directory: string; readonly calls: readonly DemoCall[] },
): Promise<DemoCarrier> {
  const keyId = `${word}-answers-1`;
  const { pem, jwk } = await demoKey(join(demoFolder(directory), `${word}-answers.pem`), keyId);
  const signer = await createLocalAnswerSigner({ privateKeyPem: pem, keyId });
  const byCaller = new Map(calls.map((call) => [call.calling, call]));
  const byRecord = new Map(calls.map((call) => [recordIdOfCall(call), call]));
  return {
    word,
    answerJwk: jwk,
    answerOpen: async (signal) => {
      let answered = 0;
      for await (const { request } of client.tracebackRequests.iterate({ state: 'open' }, { signal })) {
        const { recordId = '', calling = '' } = request.call;
        const call = byRecord.get(recordId) ?? byCaller.get(calling.replaceAll(/\D/g, ''));
        const finding = call === undefined ? undefined : findingOf(word, call);
        if (call === undefined || finding === undefined) continue;
        const answer = await signedAnswer({ request, call, finding, signer });
        await client.tracebackRequests.answer({ requestId: request.requestId, answer }, { signal });
        answered += 1;
      }
      return answered;
    },
  };
}

/** What a provider says of a call; undefined where it says nothing. */
function findingOf(word: string, { way: { providers, end } }: DemoCall): TracebackFinding | undefined {
  const place = providers.indexOf(word);
  const next = providers[place + 1];
  if (place < 0) return undefined;
  if (next !== undefined) {
    const { providerId, name } = demoProvider(next);
    return { arm: 'received-from', upstream: { providerId, name } };
  }
  if (end.says === 'nothing') return undefined;
  if (end.says === 'refused') return { arm: 'refused', reason: end.reason };
  if (end.says === 'point-of-entry') return { arm: 'point-of-entry', upstream: end.upstream };
  const { customer: contact, knowYourCustomer } = end;
  return { arm: 'origin', customer: { contact, knowYourCustomer, action: 'suspended' } };
}

interface AnswerToSign {
  readonly request: TracebackRequest;
  readonly call: DemoCall;
  readonly finding: TracebackFinding;
  readonly signer: AnswerSigner;
}

function signedAnswer({ request, call, finding, signer }: AnswerToSign): Promise<string> {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const { atMs, called, calling, seconds } = call;
  const [fromMs, toMs] = [atMs - 3_600_000, atMs + 60_000];
  const { requestId, tracebackId, provider } = request;
  const found = finding.arm !== 'refused';
  const answer: TracebackAnswer = {
    format: 'hopback.traceback-answer.1',
    answerId: `${requestId}.1`,
    requestId,
    tracebackId,
    revision: 1,
    answeredAt: iso(Date.now()),
    provider,
    answeredBy: { kind: 'automatic', policyId: 'demo-1' },
    finding,
    ...(found && {
      call: {
        startedAt: iso(atMs),
        called: `+${called}`,
        calling: `+${calling}`,
        ...(seconds !== undefined && { answeredAt: iso(atMs + 6_000), endedAt: iso(atMs + 6_000 + seconds * 1_000) }),
        disposition: seconds === undefined ? 'no-answer' : 'answered',
        ingressCallId: `${call.index}-${request.hop}@${provider.providerId ?? 'demo'}.example`,
      },
    }),
    searched: {
      windows: found ? [{ from: iso(fromMs), to: iso(toMs) }] : [],
      keys: found ? ['called', 'calling'] : [],
      coverage: found ? [{ sourceId: 'demo-switch', fromUs: fromMs * 1_000, toUs: toMs * 1_000 }] : [],
      recordsConsidered: found ? 1 : 0,
    },
  };
  return signAnswer(answer, signer);
}
