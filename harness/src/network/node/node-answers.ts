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
import type { PlannedProvider } from '../plan/index.js';
import { lateRequests } from './late-requests.js';
import { lyingTransport } from './lying-transport.js';
import type { NodeMembership, NodePlatform } from './node-material.js';
import type { AnswerManners } from './say-instead.js';
import { answerPolicy, trunkTable } from './trunk-table.js';

/** Settings of {@link openNodeAnswers}. */
export interface NodeAnswersOptions {
  readonly provider: PlannedProvider;
  readonly providers: readonly PlannedProvider[];
  readonly directory: string;
  readonly store: RecordStore;
  readonly platform: NodePlatform;
  readonly membership: NodeMembership;
  readonly clock: TimerClock;
  readonly manners: AnswerManners;
  readonly onProblem: (detail: string) => void;
}

/** Time zone of all offices. */
export const OFFICE_ZONE = 'America/New_York';

/**
 * Opens the responder of a provider. An honest one has what any carrier has; a liar has the same, which finds the true answer, and stands between it
 * and the platform.
 */
export async function openNodeAnswers(options: NodeAnswersOptions): Promise<Pick<TracebackResponder, 'close'>> {
  const { provider, providers, directory, store, platform, membership, clock, manners } = options;
  const identity = { providerId: provider.providerId, name: provider.name };
  const { clientId, keyId, answerKeyId, answerKeyPem, privateKeyPem } = membership;
  const key = createPrivateKey(privateKeyPem);
  const timed = { ...clock, monotonicMs: clock.nowMs };
  const onProblem = ({ kind, detail }: { readonly kind: string; readonly detail: string }): void =>
    options.onProblem(`${kind}: ${detail}`);
  const common = { directory, provider: identity, policy: answerPolicy(provider), clock: timed, onProblem };
  const { says, liesMs } = manners;
  if (says === undefined && liesMs === undefined)
    return createCarrierResponder({
      ...{ ...common, store, zone: OFFICE_ZONE, trunks: trunkTable(provider, providers) },
      answerKey: { privateKeyPem: answerKeyPem, keyId: answerKeyId },
      platform: {
        ...{ baseUrl: platform.baseUrl, tokenUrl: platform.tokenUrl, receiptKeys: platform.receiptKeys },
        ...{ clientId, key, keyId },
      },
    });
  const authorization = await privateKeyJwt({ tokenUrl: platform.tokenUrl, clientId, key, keyId, clock });
  const client = createPlatformClient({ baseUrl: platform.baseUrl, authorization, clock });
  const trunks = createTrunkDirectory(readTrunkDirectory(trunkTable(provider, providers)));
  const signer = await createLocalAnswerSigner({ privateKeyPem: answerKeyPem, keyId: answerKeyId });
  const honest: { readonly transport: AnswerTransport; readonly verifyReceipt: VerifyReceipt } = {
    transport: createClientAnswerTransport(client),
    verifyReceipt: createReceiptVerifier(platform.receiptKeys),
  };
  const current: { responder?: TracebackResponder } = {};
  const liar = says && {
    signer,
    says: (answer: TracebackAnswer) => says(answer, current.responder?.entry(answer.requestId)?.request),
  };
  const opened = await createTracebackResponder({
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
  current.responder = opened;
  return opened;
}
