import { CERTIFICATE_FAULT_NAMES, CERTIFICATE_FAULTS, createTestPki } from '@hopback/sdk/testing';
import type { TestPki } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import { buildCertificatePath } from '../../sdk/src/stir/certificates/build-path.js';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import { parseCertificateChain } from '../../sdk/src/stir/certificates/parse-certificate.js';

let pki: TestPki;

beforeAll(async () => {
  pki = await createTestPki();
});

function parsed(pemText: string): readonly Certificate[] {
  const result = parseCertificateChain(pemText);
  if (result.status === 'malformed') throw new Error(`${result.reason}: ${result.detail}`);
  return result.chain;
}

test.each(CERTIFICATE_FAULT_NAMES)('the path "%s" is judged as the catalogue says', (name) => {
  const { expectedReasonHint, build } = CERTIFICATE_FAULTS[name];
  const { chainPem, trustAnchors } = build(pki, '1234');
  const anchors = trustAnchors.flatMap(({ certificatePem }) => parsed(certificatePem));
  const result = buildCertificatePath(parsed(chainPem), { trustAnchors: anchors, atMs: pki.nowMs });
  const reasons = result.status === 'untrusted' ? result.failures.map(({ reason }) => reason) : ['trusted'];
  expect(reasons).toContain(expectedReasonHint ?? 'trusted');
});
