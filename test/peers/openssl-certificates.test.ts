import { TestPki } from '@hopback/sdk/testing';
import { expect } from 'vitest';
import { parseCrl } from '../../sdk/src/stir/certificates/crl.js';
import { testPeer } from '../peers.js';
import { openssl } from '../unit/testing-openssl.js';

testPeer('openssl', 'openssl crl reads the same number, dates and entries of the indirect CRL', async () => {
  const pki = new TestPki();
  const revoked = [pki.issueServiceProvider({ spc: '709J', serialNumber: 0xabcdefn }), pki.intermediate];
  const crl = pki.crl({ revoked, number: 4711 });
  const files = { 'crl.pem': crl.pem, 'issuer.pem': pki.stiPaCrlIssuer.certificatePem };
  const { output } = openssl('crl -noout -text -CAfile issuer.pem -in crl.pem'.split(' '), files);
  expect(parseCrl(crl.der)).toMatchObject({ status: 'parsed', crl: { number: 4711n, revokedCount: 2 } });
  expect(output).toMatch(/X509v3 CRL Number:\s+4711/);
  expect(output).toMatch(/Serial Number: ABCDEF/);
  expect(output).toMatch(/Indirect CRL/);
  expect(output).toMatch('verify OK');
});
