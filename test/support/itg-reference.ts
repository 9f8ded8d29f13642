import { createPublicKey } from 'node:crypto';
import { CompactSign } from 'jose';
import type { TracebackAnswer, TracebackRequest } from '../../sdk/src/traceback/index.js';
import {
  FIRST_OPERATOR_CLIENT,
  startReferenceWithAreas,
} from '../../harness/src/platform/reference/reference-platform.js';
import type {
  ReferencePlatformOptions,
  ReferenceWithAreas,
} from '../../harness/src/platform/reference/reference-platform.js';
import { emptyDatabase, newDatabase, type TestServer } from './itg-database.js';
import { platformLab, UNLIMITED, type PlatformLab, type TestCarrier, type TestMember } from './itg-platform.js';

export type { TestCarrier };

export interface ReferenceLabOptions extends ReferencePlatformOptions {
  /** A server of `startPostgres`, in which a database of its own is made. Default PGlite in memory. */
  readonly server?: TestServer;
}

/** The whole reference platform, listening, with its first operator, who has every role of staff. */
export interface ReferenceLab extends PlatformLab {
  readonly platform: ReferenceWithAreas;
  readonly clientOf: PlatformLab['client'];
  /** Runs a job of an area now, as its timer would. */
  readonly runJob: (name: string) => Promise<void>;
}

/** Starts a reference platform on a database of its own; its answers are held against their schemas. */
export async function startReferenceLab({ server, ...options }: ReferenceLabOptions = {}): Promise<ReferenceLab> {
  const database =
    options.database ??
    (server === undefined
      ? { memory: true as const, template: await emptyDatabase() }
      : { url: await newDatabase(server) });
  const platform = await startReferenceWithAreas({ checkAnswers: true, rates: UNLIMITED, ...options, database });
  const operator = firstOperator(platform.home.operatorKey);
  const lab = platformLab(platform, operator, options.clock);
  return {
    ...{ ...lab, platform, clientOf: lab.client },
    runJob: async (name) => {
      const job = [...platform.areas.values()].flatMap(({ jobs }) => jobs).find((one) => one.name === name);
      if (job === undefined) throw new Error(`there is no job ${name}`);
      await job.run(platform.context.clock.nowMs());
    },
  };
}

/** The first operator of a reference platform, by the key that it made. */
export const firstOperator = ({ keyId, privateKey }: Pick<TestMember['key'], 'keyId' | 'privateKey'>): TestMember => {
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const jwk = { ...createPublicKey(pem).export({ format: 'jwk' }), kid: keyId };
  return {
    organizationId: 'itg',
    clientId: FIRST_OPERATOR_CLIENT,
    key: { keyId, privateKey, jwk, algorithm: 'ES256' },
  };
};

/** An answer of a carrier to a request, of the call that was asked about, as it is sent: signed. */
export function signAnswer(
  { answerKey }: Pick<TestCarrier, 'answerKey'>,
  request: TracebackRequest,
  { finding, ...more }: Partial<TracebackAnswer> & Pick<TracebackAnswer, 'finding'>,
): Promise<string> {
  const { called = '', calling = '', at } = request.call;
  const startedAt = new Date(`${at.local}Z`).toISOString();
  const answer: TracebackAnswer = {
    ...{ format: 'hopback.traceback-answer.1', answerId: `${request.requestId}.1`, revision: 1 },
    ...{ requestId: request.requestId, tracebackId: request.tracebackId, provider: request.provider, finding },
    ...{ answeredAt: new Date().toISOString(), answeredBy: { kind: 'automatic', policyId: 'p-1' } },
    call: { startedAt, called, calling, disposition: 'answered' },
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
    ...more,
  };
  return new CompactSign(Buffer.from(JSON.stringify(answer)))
    .setProtectedHeader({ alg: 'ES256', kid: answerKey.keyId, typ: 'traceback-answer+jws' })
    .sign(answerKey.privateKey);
}
