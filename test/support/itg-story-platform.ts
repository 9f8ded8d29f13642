import type { KeyObject } from 'node:crypto';
import { createPlatformClient, privateKeyJwt } from '../../sdk/src/platform/index.js';
import type { PlatformClient, PlatformScope, RouteCallParams } from '../../sdk/src/platform/index.js';
import type { PlatformLog } from '../../harness/src/platform/core/index.js';
import { FIRST_OPERATOR_CLIENT, startReferencePlatform } from '../../harness/src/platform/reference/index.js';
import type { ReferencePlatform, ReferencePlatformOptions } from '../../harness/src/platform/reference/index.js';
import { clientTestKey } from './itg-platform.js';
import { createWorldClock } from '../../harness/src/network/world/world.js';
import type { WorldClock } from '../../harness/src/network/world/world.js';

/** Somebody with a client of the SDK. */
export interface StoryMember {
  readonly organizationId: string;
  readonly clientId: string;
  readonly key: { readonly keyId: string; readonly privateKey: KeyObject };
  readonly client: PlatformClient;
}

/** Whom the operator lets in. */
export interface StoryJoining {
  readonly kind: PlatformScope;
  readonly organizationId: string;
  readonly name: string;
  /** Of an agency. */
  readonly jurisdiction?: string;
  readonly contactEmail?: string;
  /** Of staff. */
  readonly roles?: readonly string[];
}

/** A line of the platform's log. */
export interface StoryLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A reference platform that listens, with a clock that is moved, and all that it logs. */
export interface StoryPlatform extends AsyncDisposable {
  readonly platform: ReferencePlatform;
  readonly clock: WorldClock;
  readonly operator: PlatformClient;
  readonly lines: readonly StoryLine[];
  readonly join: (joining: StoryJoining) => Promise<StoryMember>;
  /** Calls a route by its operation, whoever's it is; the value of the answer. */
  readonly ask: <Value>(client: PlatformClient, operationId: string, params?: RouteCallParams) => Promise<Value>;
}

/** Rates that no test reaches. */
const UNLIMITED = { perSecond: 1_000_000, burst: 1_000_000 };

/** Starts a platform at a time of the story; its answers are held against their schemas. */
export async function startStoryPlatform(
  startMs: number,
  options: Omit<ReferencePlatformOptions, 'clock' | 'log'> = {},
): Promise<StoryPlatform> {
  const clock = createWorldClock();
  clock.advance(startMs - clock.nowMs());
  const lines: StoryLine[] = [];
  const platform = await startReferencePlatform({
    ...{ clock, log: linesInto(lines), checkAnswers: true, rates: { perClient: UNLIMITED, perAddress: UNLIMITED } },
    ...options,
  });
  const { keyId, privateKey } = platform.home.operatorKey;
  const clientOf = async (clientId: string, key: StoryMember['key']): Promise<PlatformClient> =>
    createPlatformClient({
      ...{ baseUrl: platform.url, clock },
      authorization: await privateKeyJwt({
        ...{ tokenUrl: platform.tokenUrl, clientId, key: key.privateKey, keyId: key.keyId, clock },
      }),
    });
  const operator = await clientOf(FIRST_OPERATOR_CLIENT, { keyId, privateKey });
  const ask: StoryPlatform['ask'] = async <Value>(
    client: PlatformClient,
    operationId: string,
    params?: RouteCallParams,
  ) => {
    const route = platform.routes.find((one) => one.operationId === operationId);
    if (route === undefined) throw new Error(`there is no ${operationId}`);
    const answer = await client.call(route, params);
    return (answer.kind === 'json' ? answer.value : answer.kind === 'file' ? answer.bytes : undefined) as Value;
  };
  return {
    ...{ platform, clock, operator, lines, ask },
    join: async ({ roles, ...organization }) => {
      const { organizationId } = organization;
      const clientId = `${organizationId}-1`;
      const key = clientTestKey(`${organizationId}-key`);
      if (organization.kind !== 'staff') await ask(operator, 'registerOrganization', { body: organization });
      const client = { clientId, organizationId, name: organization.name, keys: [{ jwk: key.jwk }] };
      await ask(operator, 'registerClient', { body: { ...client, ...(roles !== undefined && { roles }) } });
      return { organizationId, clientId, key, client: await clientOf(clientId, key) };
    },
    [Symbol.asyncDispose]: platform.close,
  };
}

const linesInto = (lines: StoryLine[]): PlatformLog => {
  const write =
    (level: StoryLine['level']): PlatformLog['info'] =>
    (message, details) =>
      void lines.push({ level, message, ...(details !== undefined && { details }) });
  return { info: write('info'), warn: write('warn'), error: write('error') };
};
