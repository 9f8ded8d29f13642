import { readFile, writeFile } from 'node:fs/promises';
import { openConformanceTarget, runConformance } from '@hopback/harness/conformance';
import { expect, test } from 'vitest';
import { Sidecar } from '../../sdk/src/sidecar/index.js';
import { openConformanceLab } from '../support/conformance-lab.js';

// That our services conform in all cases is tested with the other columns, in test/peers/conformance-matrix.test.ts.

const GUIDE = 'docs/guides/conformance.md';

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
  await using sidecar = await Sidecar.start({ configurationPath, onNotice: () => undefined });
  const url = `http://127.0.0.1:${String(sidecar.calls.port)}`;
  await using target = await openConformanceTarget({ kind: 'atis', url, timeoutMs: 30_000 });
  const { environment } = lab;
  const outcome = await runConformance({ target, environment, groups: ['revocation', 'signing'] });
  if (outcome.status !== 'ran') throw new Error(`the run did not begin: ${JSON.stringify(outcome)}`);
  const { results } = outcome.run;
  expect(results.filter(({ status }) => status === 'fail')).toEqual([]);
  expect(results.filter(({ status }) => status !== 'not-applicable')).toHaveLength(27);
});
