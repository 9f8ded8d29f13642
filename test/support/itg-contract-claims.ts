import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLATFORM_ROUTES } from '../../sdk/src/platform/index.js';
import type { TestServer } from './itg-database.js';
import { demandContractClaims } from './itg-contract-demands.js';
import { eventContractClaims } from './itg-contract-events.js';
import { liveClaims } from './itg-contract-live.js';
import { registryContractClaims } from './itg-contract-registry.js';
import { tracebackContractClaims } from './itg-contract-tracebacks.js';
import { openContractWorld } from './itg-contract-world.js';
import type { ContractWorld } from './itg-contract-world.js';

/** Milliseconds that a platform may take to start where ten others share the processor. */
const STARTING_MS = 240_000;

/**
 * What the contract promises, asked of a whole reference platform by clients of the sdk, with every answer held against its schema. Tests rest on
 * those before them, as calls of a day do.
 */
export function contractClaims(engine: string, serverOf: () => TestServer | undefined = () => undefined): void {
  let world: ContractWorld | undefined;
  const opened = (): ContractWorld => {
    if (world === undefined) throw new Error('the platform has not been started');
    return world;
  };
  beforeAll(async () => {
    world = await openContractWorld(serverOf());
  }, STARTING_MS);
  afterAll(() => world?.[Symbol.asyncDispose]());

  liveClaims(engine, opened);
  registryContractClaims(engine, opened);
  tracebackContractClaims(engine, opened);
  demandContractClaims(engine, opened);
  eventContractClaims(engine, opened);

  test(`${engine}: no operation of the contract was left out`, () => {
    const { carriedOut, lab } = opened();
    const left = PLATFORM_ROUTES.map(({ operationId }) => operationId).filter((one) => !carriedOut.has(one));
    expect(left).toEqual([]);
    expect(lab.platform.metrics.text()).not.toContain('hopback_http_answer_faults_total{');
  });
}
