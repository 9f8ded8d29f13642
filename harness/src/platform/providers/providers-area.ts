import type { CountingReader, PlatformArea, PlatformContext, ProviderDirectory, TracebackDesk } from '../core/index.js';
import { countingFacts, createContestOperations, createScorecardOperations } from './scorecard-operations.js';
import { createOfficeOperations } from './office-operations.js';
import { PROVIDER_SCHEMAS } from './provider-bodies.js';
import { createProviderDirectory } from './provider-reader.js';
import type { HasClient } from './provider-reader.js';
import { PROVIDER_ROUTES } from './provider-routes.js';
import { createRegistryOperations } from './registry-operations.js';

/** What the area asks of others. */
export interface ProvidersPorts {
  readonly desk: Pick<TracebackDesk, 'requestOutcomes'>;
  readonly hasClient: HasClient;
}

/** The registry, and the area that serves it. */
export interface ProvidersArea extends PlatformArea {
  readonly directory: ProviderDirectory;
  readonly counting: CountingReader;
}

/**
 * Makes the registry of providers with their scorecards: who there is, whom a reference means, how they answer.
 * @param context - on a database with the tables of `providersDefinition`
 * @param ports - outcomes of requests, and who has a client
 * @returns the area; never throws
 * @see 47 CFR 64.6305; TRACED Act, Pub. L. 116-105, section 13(d)
 */
export function createProvidersArea(context: PlatformContext, ports: ProvidersPorts): ProvidersArea {
  const parts = { context, desk: ports.desk };
  return {
    name: 'providers',
    directory: createProviderDirectory(ports.hasClient),
    counting: { facts: countingFacts },
    routes: PROVIDER_ROUTES,
    schemas: PROVIDER_SCHEMAS,
    operations: {
      ...createRegistryOperations(context),
      ...createOfficeOperations(context, ports.hasClient),
      ...createScorecardOperations(parts),
      ...createContestOperations(parts),
    },
    jobs: [],
    reactions: {},
  };
}
