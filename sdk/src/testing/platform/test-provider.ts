import type { ProviderReference } from '../../core/traceback-request.js';
import type { TracebackFinding } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import { WIRE_EXAMPLES } from '../../platform/index.js';
import type { ProviderEntry } from '../../platform/index.js';
import type { NotAskableReason } from '../../traceback/index.js';

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
  readonly cannotBeAsked?: NotAskableReason;
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
