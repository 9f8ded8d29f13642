import { readFile, writeFile } from 'node:fs/promises';
import { openConformanceTarget, runConformance } from '@hopback/harness/conformance';
import type { CaseResult, ConformanceRunOptions, ConformanceTargetOptions } from '@hopback/harness/conformance';
import { expect, test } from 'vitest';
import { startSidecar } from '../../sdk/src/sidecar/index.js';
import { openConformanceLab } from '../support/conformance-lab.js';
import type { ConformanceLab } from '../support/conformance-lab.js';
import { startRedirectService } from '../support/conformance-redirect.js';

// The columns of the matrix that need no peer, and the guide.

const GUIDE = 'docs/guides/conformance.md';
/** Repositories that are silent take the time of a call. */
const RUN_MS = 180_000;

async function failures(
  lab: ConformanceLab,
  options: ConformanceTargetOptions,
  selection: Pick<ConformanceRunOptions, 'groups'> = {},
): Promise<{ readonly failed: readonly CaseResult[]; readonly asked: number }> {
  await using target = await openConformanceTarget({ timeoutMs: 30_000, ...options });
  const outcome = await runConformance({ target, environment: lab.environment, ...selection });
  if (outcome.status !== 'ran') throw new Error(`nothing was asked: ${JSON.stringify(outcome)}`);
  const { results } = outcome.run;
  return {
    failed: results.filter(({ status }) => status === 'fail'),
    asked: results.filter(({ status }) => status !== 'not-applicable').length,
  };
}

test(
  'the sidecar conforms in every case that TS 24.229 can carry',
  async () => {
    await using lab = await openConformanceLab();
    const { failed, asked } = await failures(lab, { kind: '3gpp', url: await lab.startSidecar() });
    expect(failed).toEqual([]);
    expect(asked).toBeGreaterThan(250);
  },
  RUN_MS,
);

test(
  'the redirect server conforms in every case that SIP can carry, Reason header fields included',
  async () => {
    await using lab = await openConformanceLab();
    await using service = await startRedirectService(lab);
    const { failed, asked } = await failures(lab, service.target);
    expect(failed).toEqual([]);
    expect(asked).toBeGreaterThan(250);
  },
  RUN_MS,
);

test('a sidecar with the configuration of the guide conforms', async () => {
  await using lab = await openConformanceLab();
  const { ports } = lab.environment.server;
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(await readFile(GUIDE, 'utf8')) ?? [];
  const configuration = yaml
    .replaceAll('lab/', '')
    .replace('port: 8090', 'port: 0')
    .replace('192.0.2.0/24', '127.0.0.0/8')
    .replace('ports: [8443]', `ports: [${ports.https}]`)
    .replace('https://192.0.2.7:8443/signing.pem', lab.environment.urls.signingX5u);
  const configurationPath = lab.path('hopback.yaml');
  await writeFile(configurationPath, configuration, { mode: 0o600 });
  await using sidecar = await startSidecar({ configurationPath, onNotice: () => undefined });
  const url = `http://127.0.0.1:${String(sidecar.calls.port)}`;
  const { failed, asked } = await failures(lab, { kind: 'atis', url }, { groups: ['revocation', 'signing'] });
  expect([failed, asked]).toEqual([[], 27]);
});
