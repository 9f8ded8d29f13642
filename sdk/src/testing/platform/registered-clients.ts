import type { ProviderReference } from '../../core/traceback-request.js';
import { HopbackError } from '../../errors.js';
import type { PlatformScope } from '../../platform/index.js';
import { mixedReference } from '../../traceback/index.js';
import type { ReferenceMeaning, ReferencePart } from '../../traceback/index.js';
import { createTestKey } from '../test-key.js';
import type { TestKey } from '../test-key.js';
import type { TestProvider } from './test-provider.js';

/** Who may call the platform. */
export interface RegisteredClient {
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
export interface ClientRegister {
  readonly clients: ReadonlyMap<string, RegisteredClient>;
  readonly providers: readonly RegisteredProvider[];
  /** Ids of those whose tokens reach so far. */
  readonly clientsOf: (scope: PlatformScope) => readonly string[];
  /** @throws {@link HopbackError} `invalid-argument` where there is none */
  readonly provider: (providerId: string) => RegisteredProvider;
  /** Whom a reference means, as the registry has them: by an identifier, then by name. */
  readonly resolve: (reference: ProviderReference) => RegisteredProvider | undefined;
  /** The same, and whether the reference mixes two companies. */
  readonly meaning: (reference: ProviderReference) => ReferenceMeaning;
}

const DEFAULT_ZONE = 'America/New_York';

/** Ids of clients that are no providers, by what they are. */
export type OtherClients = Readonly<Record<Exclude<PlatformScope, 'carrier'>, readonly string[]>>;

/** Gives everybody keys. */
export function registerClients(providers: readonly TestProvider[], others: OtherClients): ClientRegister {
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
  const resolve: ClientRegister['resolve'] = (reference) =>
    registered.find((provider) => IDENTIFIERS.some((name) => isSame(reference[name], provider[name]))) ??
    registered.find(({ name }) => isSame(reference.name, name));
  return {
    clients,
    providers: registered,
    clientsOf: (scope) =>
      [...clients.values()].filter(({ scopes }) => scopes.includes(scope)).map(({ clientId }) => clientId),
    provider: (providerId) => {
      const found = registered.find((provider) => provider.providerId === providerId);
      if (found === undefined) throw new HopbackError('invalid-argument', `no provider is called ${providerId}`);
      return found;
    },
    resolve,
    meaning: (reference) => {
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
