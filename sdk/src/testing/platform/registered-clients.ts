import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { Clock } from '../../core/runtime/clock.js';
import type { ProviderReference, TokenAnswer, TokenRefusal, TokenRequest } from '../../contract/common.js';
import type { TracebackFinding, TracebackRequest } from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import { WIRE_EXAMPLES } from '../../platform/index.js';
import { jsonAnswer } from '../../contract/platform-answer.js';
import type { PlatformScope, ProviderEntry } from '../../platform/index.js';
import type { PlatformAnswer } from '../../contract/platform-answer.js';
import { mixedReference } from '../../traceback/answer-parties.js';
import type { ReferenceMeaning, ReferencePart } from '../../traceback/answer-parties.js';
import { createTestKey } from '../test-key.js';
import type { TestKey } from '../test-key.js';

/** A provider of the test platform's registry, and what it does when it is asked. */
export interface TestProvider extends ProviderReference {
  /** Also the id of its client. */
  readonly providerId: string;
  /** IANA name of the zone of its responding office. Default `America/New_York`. */
  readonly zone?: string;
  /**
   * What it says to a request of itself; nothing, or undefined: somebody else answers in its place, the program under test or
   * {@link TestPlatform.answerAs}.
   */
  readonly answers?: (request: TracebackRequest) => TracebackFinding | undefined;
  /** Why nobody can ask it. */
  readonly cannotBeAsked?: 'foreign' | 'not-listed' | 'no-contact' | 'removed';
  /** What its entry in the registry has beside names and numbers. */
  readonly entry?: Partial<ProviderEntry>;
}

/** What a program needs to call the platform as one of its providers; each part fits the function that takes it. */
export interface TestCredentials {
  /** For `privateKeyJwt`. */
  readonly client: {
    readonly tokenUrl: string;
    readonly clientId: string;
    /** PKCS#8 PEM, P-256. */
    readonly key: string;
    readonly keyId: string;
  };
  /** The key that answers are signed with: for `createLocalAnswerSigner`. */
  readonly answerKey: { readonly privateKeyPem: string; readonly keyId: string };
  /** For `bearerToken`: a token that lasts as long as the platform's tokens do. */
  readonly token: string;
}

const [PLAIN] = WIRE_EXAMPLES.Traceback;
const [FIRST, SECOND, THIRD] = PLAIN.value.hops.map(({ provider }) => provider);

/**
 * Three providers on the way of one call, those of {@link WIRE_EXAMPLES}. The first, `prv-alder`, terminated it, and names the second by itself;
 * the second, `prv-birch`, says nothing: it is the program under test; the third, `prv-cedar`, says by itself that the call entered the
 * United States there. Where a number is traced forward, the first has handed it to the second, and the third serves it.
 */
export const TEST_PROVIDERS: readonly TestProvider[] = [
  {
    ...named(FIRST, 'prv-alder'),
    answers: ({ direction }) =>
      direction === 'back'
        ? { arm: 'received-from', upstream: named(SECOND, 'prv-birch') }
        : { arm: 'number-served-by', provider: named(SECOND, 'prv-birch') },
  },
  named(SECOND, 'prv-birch'),
  {
    ...named(THIRD, 'prv-cedar'),
    answers: ({ direction }) =>
      direction === 'back'
        ? { arm: 'point-of-entry', upstream: { name: 'Dune Telefonia S.A.', country: 'GB' } }
        : { arm: 'serves-number', customer: { contact: { name: 'Elm Calling Services' } } },
  },
];

function named(
  reference: ProviderReference | undefined,
  providerId: string,
): ProviderReference & { readonly providerId: string } {
  return { name: providerId, ...reference, providerId };
}

/** As others speak of a provider. */
export function referenceOf({ providerId, name, ocn, spc, frn }: TestProvider): ProviderReference {
  return {
    providerId,
    name,
    ...(ocn !== undefined && { ocn }),
    ...(spc !== undefined && { spc }),
    ...(frn !== undefined && { frn }),
  };
}

/** Who may call the platform. */
interface RegisteredClient {
  readonly clientId: string;
  readonly scopes: readonly PlatformScope[];
  /** With which it signs assertions. */
  readonly clientKey: TestKey;
  readonly clientKeyId: string;
  /** Where it is a provider. */
  readonly provider?: RegisteredProvider;
}

/** A provider with the key that it signs answers with. */
export interface RegisteredProvider extends TestProvider {
  readonly zone: string;
  readonly answerKey: TestKey;
  readonly answerKeyId: string;
}

/** Everybody that the platform knows. */
export type ClientRegister = ReturnType<typeof registerClients>;

const DEFAULT_ZONE = 'America/New_York';

/** Ids of clients that are no providers, by what they are. */
type OtherClients = Readonly<Record<Exclude<PlatformScope, 'carrier'>, readonly string[]>>;

/** Gives everybody keys. */
export function registerClients(providers: readonly TestProvider[], others: OtherClients) {
  const registered = providers.map((provider): RegisteredProvider => ({
    zone: DEFAULT_ZONE,
    ...provider,
    answerKey: createTestKey(),
    answerKeyId: `${provider.providerId}-answers`,
  }));
  const clients = new Map<string, RegisteredClient>();
  const add = (clientId: string, rest: Pick<RegisteredClient, 'scopes' | 'provider'>): void => {
    if (clients.has(clientId)) throw new HopbackError('invalid-configuration', `two clients are called ${clientId}`);
    clients.set(clientId, { clientId, clientKey: createTestKey(), clientKeyId: `${clientId}-client`, ...rest });
  };
  for (const provider of registered) add(provider.providerId, { scopes: ['carrier'], provider });
  for (const scope of ['app', 'agency', 'staff'] as const)
    for (const clientId of others[scope]) add(clientId, { scopes: [scope] });
  const resolve = (reference: ProviderReference): RegisteredProvider | undefined =>
    registered.find((provider) => IDENTIFIERS.some((name) => isSame(reference[name], provider[name]))) ??
    registered.find(({ name }) => isSame(reference.name, name));
  return {
    clients: clients as ReadonlyMap<string, RegisteredClient>,
    providers: registered as readonly RegisteredProvider[],
    /** Ids of those whose tokens reach so far. */
    clientsOf: (scope: PlatformScope): readonly string[] =>
      [...clients.values()].filter(({ scopes }) => scopes.includes(scope)).map(({ clientId }) => clientId),
    /** @throws {@link HopbackError} `invalid-argument` where there is none */
    provider: (providerId: string): RegisteredProvider => {
      const found = registered.find((provider) => provider.providerId === providerId);
      if (found === undefined) throw new HopbackError('invalid-argument', `no provider is called ${providerId}`);
      return found;
    },
    /** Whom a reference means, as the registry has them: by an identifier, then by name. */
    resolve,
    /** The same, and whether the reference mixes two companies. */
    meaning: (reference: ProviderReference): ReferenceMeaning => {
      const mixed = mixedReference(ownedParts(reference, registered));
      if (mixed !== undefined)
        return { status: 'several', providerIds: mixed.flatMap(({ providerIds }) => providerIds), mixed };
      const found = resolve(reference);
      return found === undefined ? { status: 'unlisted' } : { status: 'found', providerId: found.providerId };
    },
  };
}

/** What a reference states, with the providers that have it. */
function ownedParts(reference: ProviderReference, providers: readonly RegisteredProvider[]): readonly ReferencePart[] {
  return ([...IDENTIFIERS, 'name'] as const).flatMap((kind) => {
    const value = reference[kind];
    if (value === undefined) return [];
    const owners = providers.filter((provider) => isSame(value, provider[kind]));
    return [{ kind, value, providerIds: owners.map(({ providerId }) => providerId) }];
  });
}

const IDENTIFIERS = ['providerId', 'frn', 'ocn', 'spc'] as const;

const isSame = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one.trim().toLowerCase() === other.trim().toLowerCase();

/** Seconds that a token lasts where nothing else is said. */
export const DEFAULT_TOKEN_LIFETIME_SECONDS = 300;
/** How far clocks may differ, seconds. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Who a token is of, and how far it reaches. */
interface TokenHolder {
  readonly client: RegisteredClient;
  readonly scopes: readonly PlatformScope[];
}

/** Gives tokens for assertions, and knows them again. */
export type KitTokens = ReturnType<typeof createKitTokens>;

export function createKitTokens(parts: {
  readonly register: ClientRegister;
  readonly clock: Clock;
  readonly tokenUrl: string;
  readonly newId: (kind: string) => string;
  readonly lifetimeSeconds: number;
}) {
  const { register, clock, tokenUrl, newId, lifetimeSeconds } = parts;
  const tokens = new Map<string, TokenHolder & { readonly endsAtMs: number }>();
  /** A client uses an assertion once. RFC 7523 section 3 item 7 */
  const used = new Set<string>();

  const mint = (client: RegisteredClient, scopes = client.scopes): string => {
    const token = newId('token');
    tokens.set(token, { client, scopes, endsAtMs: clock.nowMs() + lifetimeSeconds * 1_000 });
    return token;
  };

  const issue = async ({ client_assertion: assertion, scope }: TokenRequest): Promise<PlatformAnswer> => {
    const client = await clientOf(assertion, { register, clock, tokenUrl, used });
    if ('error' in client) return { kind: 'refusal', status: 401, value: client };
    const asked = scope?.split(' ') ?? client.scopes;
    const scopes = client.scopes.filter((one) => asked.includes(one));
    if (scopes.length < asked.length)
      return { kind: 'refusal', status: 400, value: refusal('invalid_scope', 'The client may not have that scope.') };
    const answer: TokenAnswer = {
      access_token: mint(client, scopes),
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
      scope: scopes.join(' '),
    };
    return jsonAnswer(answer);
  };

  return {
    /** Answers a request for a token. @see RFC 7523 section 3 */
    issue,
    /** A token without an assertion, for tests. */
    mint,
    /** Whose token it is; undefined where it is none, or over. */
    holderOf: (authorization: string | null): TokenHolder | undefined => {
      const token = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorization ?? '')?.[1];
      const held = token === undefined ? undefined : tokens.get(token);
      return held !== undefined && clock.nowMs() < held.endsAtMs ? held : undefined;
    },
    /** Ends all tokens of a client. */
    expire: (clientId: string) => {
      for (const [token, { client }] of tokens) if (client.clientId === clientId) tokens.delete(token);
    },
  };
}

const refusal = (error: string, error_description: string): TokenRefusal => ({ error, error_description });

interface AssertionCheck {
  readonly register: ClientRegister;
  readonly clock: Clock;
  readonly tokenUrl: string;
  readonly used: Set<string>;
}

async function clientOf(
  assertion: string,
  { register, clock, tokenUrl, used }: AssertionCheck,
): Promise<RegisteredClient | TokenRefusal> {
  let client: RegisteredClient | undefined;
  let claims: JWTPayload;
  try {
    const keyOf = ({ kid }: { readonly kid?: string }): RegisteredClient['clientKey']['publicKey'] => {
      client = [...register.clients.values()].find(({ clientKeyId }) => clientKeyId === kid);
      if (client === undefined) throw new errors.JWKSNoMatchingKey();
      return client.clientKey.publicKey;
    };
    const verified = await jwtVerify(assertion, keyOf, {
      algorithms: ['ES256', 'ES384', 'PS256', 'EdDSA'],
      audience: tokenUrl,
      currentDate: new Date(clock.nowMs()),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'jti'],
    });
    claims = verified.payload;
  } catch (error) {
    return refusal(
      'invalid_client',
      error instanceof errors.JOSEError ? error.code : 'client_assertion is not a valid JWT.',
    );
  }
  const { iss, sub, jti } = claims;
  if (client === undefined || iss !== client.clientId || sub !== client.clientId)
    return refusal('invalid_client', 'Issuer and subject are not the client.');
  const name = `${iss}\n${String(jti)}`;
  if (used.has(name)) return refusal('invalid_client', 'The assertion was used before.');
  used.add(name);
  return client;
}
