import { createPrivateKey } from 'node:crypto';
import {
  createPlatformClient,
  mergeTracebackRequestSources,
  pollTracebackRequests,
  privateKeyJwt,
  streamTracebackRequests,
} from '@hopback/sdk/platform';
import type { TimerClock } from '@hopback/sdk/platform';
import type { RecordStore } from '@hopback/sdk/records';
import {
  createCarrierResponder,
  createClientAnswerTransport,
  createLocalAnswerSigner,
  createReceiptVerifier,
  createTracebackResponder,
  createTrunkDirectory,
  officeDeadline,
  readTrunkDirectory,
  storeKnowledge,
} from '@hopback/sdk/traceback';
import type { AnswerTransport, TracebackAnswer, TracebackResponder, VerifyReceipt } from '@hopback/sdk/traceback';
import type { NetworkPlan, PlannedProvider } from '../plan/index.js';
import { lateRequests } from './late-requests.js';
import { lyingTransport } from './lying-transport.js';
import { createDesk } from './node-desk.js';
import type { DeskBooks } from './node-desk.js';
import type { NodeMembership, NodePlatform } from './node-material.js';
import type { AnswerManners } from './say-instead.js';
import { answerPolicy, trunkTable } from './trunk-table.js';

/** Settings of {@link openNodeAnswers}. */
export interface NodeAnswersOptions {
  readonly plan: NetworkPlan;
  readonly provider: PlannedProvider;
  readonly directory: string;
  readonly store: RecordStore;
  readonly platform: NodePlatform;
  readonly membership: NodeMembership;
  readonly clock: TimerClock;
  readonly manners: AnswerManners;
  /** Which call a record of the provider is of, for whoever decides what is left to a person. */
  readonly indexOf: DeskBooks['indexOf'];
  readonly onTrouble: (what: string) => void;
}

/** Time zone of all offices. */
export const OFFICE_ZONE = 'America/New_York';

/**
 * Opens the responder of a provider. An honest one has what any carrier has; a liar has the same, which finds the true answer, and stands between it
 * and the platform.
 */
export async function openNodeAnswers(options: NodeAnswersOptions): Promise<TracebackResponder> {
  const { plan, provider, directory, store, platform, membership, clock, manners, indexOf, onTrouble } = options;
  const { providers, calls } = plan;
  const identity = { providerId: provider.providerId, name: provider.name };
  const { clientId, keyId, answerKeyId, answerKeyPem, privateKeyPem } = membership;
  const key = createPrivateKey(privateKeyPem);
  const timed = { ...clock, monotonicMs: clock.nowMs };
  const current: { responder?: TracebackResponder } = {};
  const notify = createDesk(
    { provider, providers, calls, indexOf },
    { responderOf: () => current.responder, clock, onTrouble },
  );
  const common = { directory, provider: identity, policy: answerPolicy(provider), clock: timed, notify };
  const { says, liesMs } = manners;
  if (says === undefined && liesMs === undefined) {
    current.responder = await createCarrierResponder({
      ...{ ...common, store, zone: OFFICE_ZONE, trunks: trunkTable(provider, providers) },
      answerKey: { privateKeyPem: answerKeyPem, keyId: answerKeyId },
      platform: {
        ...{ baseUrl: platform.baseUrl, tokenUrl: platform.tokenUrl, receiptKeys: platform.receiptKeys },
        ...{ clientId, key, keyId },
      },
    });
    return current.responder;
  }
  const authorization = await privateKeyJwt({ tokenUrl: platform.tokenUrl, clientId, key, keyId, clock });
  const client = createPlatformClient({ baseUrl: platform.baseUrl, authorization, clock });
  const trunks = createTrunkDirectory(readTrunkDirectory(trunkTable(provider, providers)));
  const signer = await createLocalAnswerSigner({ privateKeyPem: answerKeyPem, keyId: answerKeyId });
  const honest: { readonly transport: AnswerTransport; readonly verifyReceipt: VerifyReceipt } = {
    transport: createClientAnswerTransport(client),
    verifyReceipt: createReceiptVerifier(platform.receiptKeys),
  };
  const liar = says && {
    signer,
    says: (answer: TracebackAnswer) => says(answer, current.responder?.entry(answer.requestId)?.request),
  };
  current.responder = await createTracebackResponder({
    ...{ ...common, trunks, signer, ...storeKnowledge(store, { trunks }) },
    deadlineOf: officeDeadline({ zone: OFFICE_ZONE }),
    platform: liar === undefined ? honest : lyingTransport(honest, liar),
    requests: ({ open }) => {
      const source = mergeTracebackRequestSources([
        streamTracebackRequests({ client, open, clock: timed }),
        pollTracebackRequests({ client, open, clock: timed }),
      ]);
      return liesMs === undefined ? source : lateRequests(source, { liesMs, clock });
    },
  });
  return current.responder;
}
