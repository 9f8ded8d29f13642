import { createHash } from 'node:crypto';
import { createTestKey, TestPki, type CertificateOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { estimatedBytes } from '../../sdk/src/stir/certificates/certificate-cache.js';
import { derChildren, readDer } from '../../sdk/src/stir/certificates/der.js';
import { readDistinguishedName } from '../../sdk/src/stir/certificates/certificate-extensions.js';
import {
  CERTIFICATE_CHAIN_MAX_BYTES,
  parseCertificate,
  parseCertificateChain,
} from '../../sdk/src/stir/certificates/parse-certificate.js';
import { parsed } from './certificates-parsed.js';
import type { TnAuthEntry } from '../../sdk/src/stir/certificates/certificate.js';
import { encompasses, tnAuthListCovers, tnAuthListText } from '../../sdk/src/stir/certificates/tn-auth-list.js';

const pki = new TestPki();

const provider = (options: CertificateOptions = {}) => pki.issueServiceProvider({ spc: '709J', ...options });
const malformedDetail = (der: Uint8Array): string => {
  const result = parseCertificate(der);
  return result.status === 'malformed' ? result.detail : 'parsed';
};

/** A SEQUENCE in hex, its length in as few octets as DER wants. */
function sequence(content: string): string {
  const size = content.length / 2;
  const octets = size.toString(16).padStart(size < 0x100 ? 2 : 4, '0');
  return `30${size < 0x80 ? '' : (0x80 + octets.length / 2).toString(16)}${octets}${content}`;
}

const listOf = (count: number, element: string): string => sequence(element.repeat(count));

test('reads every field of a service provider certificate', () => {
  const issued = provider({ serialNumber: 0x1234567890abcdefn, caIssuers: ['http://ca.example/ca.crt'] });
  const certificate = parsed(issued);
  expect(certificate).toMatchObject({
    version: 3,
    serialNumber: '1234567890abcdef',
    sha256: createHash('sha256').update(issued.der).digest('hex'),
    notBeforeMs: issued.notBeforeMs,
    notAfterMs: issued.notAfterMs,
    publicKeyType: 'EC P-256',
    signatureAlgorithm: '1.2.840.10045.4.3.2',
    isCa: false,
    basicConstraints: { critical: true, ca: false },
    keyUsage: { critical: true, usages: ['digitalSignature'] },
    certificatePolicies: ['2.16.840.1.114569.1.1.4'],
    caIssuers: ['http://ca.example/ca.crt'],
    tnAuthList: [{ kind: 'spc', spc: '709J' }],
    unknownCriticalExtensions: [],
  });
  expect(certificate.subject.text).toBe(issued.subjectText);
  expect(certificate.issuer.canonical).toBe(parsed(pki.intermediate).subject.canonical);
  expect(certificate.authorityKeyIdentifier).toBe(parsed(pki.intermediate).subjectKeyIdentifier);
  expect(certificate.crlDistributionPoints).toEqual([
    { urls: [pki.crlUrl], crlIssuer: parsed(pki.stiPaCrlIssuer).subject.canonical },
  ]);
  expect(certificate.publicKey.equals(issued.key.publicKey)).toBe(true);
});

test('keeps the sign of a negative serial number and reads a zero one', () => {
  expect(parsed(provider({ serialNumber: -5 })).serialNumber).toBe('-5');
  expect(parsed(provider({ serialNumber: 0 })).serialNumber).toBe('0');
});

test('reads validity beyond 2049', () => {
  const notAfterMs = Date.UTC(2061, 1, 3, 4, 5, 6);
  expect(parsed(provider({ notAfterMs })).notAfterMs).toBe(notAfterMs);
});

test('compares names regardless of case, blanks and string type', () => {
  const subject = (value: string, encoding: 'utf8' | 'printable') => [{ type: 'O', value, encoding }] as const;
  const one = parsed(provider({ subject: subject('Example  Phone Co', 'utf8') }));
  const two = parsed(provider({ subject: subject(' EXAMPLE phone CO ', 'printable') }));
  expect(one.subject.canonical).toBe(two.subject.canonical);
  expect(one.subject.text).not.toBe(two.subject.text);
});

test('does not confuse two attributes with one that has their separators inside', () => {
  const subject = ['O', 'CN'].map((type, index) => ({ type: type as 'O' | 'CN', value: 'ab'.charAt(index) }));
  const two = parsed(provider({ subject }));
  const one = parsed(provider({ subject: [{ type: 'O', value: 'a,CN=b' }] }));
  expect(one.subject.canonical).not.toBe(two.subject.canonical);
});

test('writes control characters of a name as escapes', () => {
  const certificate = parsed(provider({ subject: [{ type: 'O', value: '\u001b[2Jevil\u202e' }] }));
  expect(certificate.subject.text).toBe('O=\\1b[2Jevil\\202e');
});

test('names the key types that are not permitted as well', () => {
  expect(parsed(provider({ curve: 'P-384' })).publicKeyType).toBe('EC P-384');
  expect(parsed(provider({ curve: 'secp256k1' })).publicKeyType).toBe('EC secp256k1');
  expect(parsed(provider({ curve: 'RSA-2048' })).publicKeyType).toBe('RSA 2048');
  expect(parsed(provider({ curve: 'Ed25519' })).publicKeyType).toBe('Ed25519');
});

test('reads ranges and single numbers of a TNAuthList in order', () => {
  const tnAuthList = [
    { kind: 'range', start: '12025550100', count: 5_000_000_000 },
    { kind: 'one', tn: '911' },
    { kind: 'one', tn: '*67#' },
  ] as const;
  expect(parsed(provider({ tnAuthList })).tnAuthList).toEqual(tnAuthList);
});

test.each([
  ['an SPC in lower case', '3008a00616043130396a'],
  ['an SPC of 16 characters', `3014a0121610${'41'.repeat(16)}`],
  ['a second SPC inside one tag', '300ea00c160431303941160431303942'],
  ['an entry with an unknown tag', '3008a306160431303941'],
  ['an implicit tag', '3006800431303941'],
  ['no entry at all', '3000'],
  ['a range with count 1', '300da10b3009160432303235020101'],
  ['a letter in a number', '3008a20616043230324a'],
  ['an empty number', '3004a2021600'],
  ['an SPC as UTF8String', '3008a0060c0431303941'],
])('refuses a TNAuthList with %s', (_, value) => {
  expect(parseCertificate(provider({ tnAuthList: Buffer.from(value, 'hex') }).der)).toMatchObject({
    status: 'malformed',
    reason: 'malformed-der',
  });
});

test('reads EnhancedJWTClaimConstraints and applies both kinds where a certificate has both', () => {
  const [mustInclude, mustExclude] = [['attest'], ['rcd', 'crn']];
  const both = { jwtClaimConstraints: { mustInclude }, enhancedJwtClaimConstraints: { mustExclude } };
  expect(parsed(provider(both)).jwtClaimConstraints).toEqual({ mustInclude, permittedValues: [], mustExclude });
});

test.each(['iat', 'orig', 'dest'])('takes EnhancedJWTClaimConstraints that exclude %s as absent', (claim) => {
  const enhancedJwtClaimConstraints = { mustInclude: ['rcd'], mustExclude: ['crn', claim] };
  expect(parsed(provider({ enhancedJwtClaimConstraints })).jwtClaimConstraints).toBeUndefined();
});

test('reads a permitted claim value octet by octet: its byte order mark stays, and what is not UTF-8 is refused', () => {
  const constraining = (value: string) =>
    provider({ jwtClaimConstraints: { permittedValues: [{ claim: 'attest', permitted: [value] }] } });
  const { jwtClaimConstraints } = parsed(constraining('\ufeffB'));
  expect(jwtClaimConstraints?.permittedValues).toEqual([{ claim: 'attest', permitted: ['\ufeffB'] }]);
  const der = Buffer.from(constraining('needle').der);
  der[der.indexOf('needle')] = 0xff;
  expect(malformedDetail(der)).toMatch('not UTF-8');
});

test('refuses claim constraints that constrain nothing', () => {
  expect(parseCertificate(provider({ jwtClaimConstraints: {} }).der).status).toBe('malformed');
  expect(parseCertificate(provider({ enhancedJwtClaimConstraints: { mustExclude: [] } }).der).status).toBe('malformed');
});

test('refuses an extension that is there twice', () => {
  const value = Buffer.from('3008a00616043130394a', 'hex');
  expect(malformedDetail(provider({ extraExtensions: [{ oid: '1.3.6.1.5.5.7.1.26', value }] }).der)).toMatch('twice');
});

test('refuses bytes after the end, a cut end and an empty input', () => {
  const { der } = provider();
  expect(malformedDetail(Buffer.concat([der, Buffer.of(0)]))).toMatch('after the end');
  expect(malformedDetail(der.subarray(0, der.length - 1))).not.toBe('parsed');
  expect(malformedDetail(new Uint8Array())).not.toBe('parsed');
});

test('refuses surplus elements in BasicConstraints and a negative pathLenConstraint, and reads an explicit FALSE', () => {
  const withConstraints = (value: string) => withExtension('2.5.29.19', value, { basicConstraints: 'absent' });
  expect(withConstraints('30090101ff020101020102').status).toBe('malformed');
  expect(withConstraints('30060101ff0201fb').status).toBe('malformed');
  expect(withConstraints('3003010100')).toMatchObject({ status: 'parsed', certificate: { isCa: false } });
});

test('refuses a certificate of version 1 with extensions', () => {
  const extraExtensions = [{ oid: '2.5.29.19', value: Buffer.from('30030101ff', 'hex') }];
  expect(malformedDetail(provider({ version: 1, extraExtensions }).der)).toMatch('version 1');
  expect(parsed(provider({ version: 1 })).version).toBe(1);
});

test('passes over the unique identifiers that X.509 version 2 put in front of the extensions', () => {
  const [tbs, ...signed] = derChildren(readDer(provider().der), 3);
  const fields = derChildren(tbs!, 8).map(({ encoded }) => Buffer.from(encoded).toString('hex'));
  const between = (identifiers: string): string => {
    const withIdentifiers = sequence([...fields.slice(0, -1), identifiers, ...fields.slice(-1)].join(''));
    const rest = signed.map(({ encoded }) => Buffer.from(encoded).toString('hex')).join('');
    return malformedDetail(Buffer.from(sequence(withIdentifiers + rest), 'hex'));
  };
  expect(['', '8102000f', '8202000f', '8102000f8202000f'].map(between)).toEqual(Array(4).fill('parsed'));
  expect(between('8202000f8102000f')).not.toBe('parsed');
});

test('refuses BER where DER is asked for', () => {
  const der = Buffer.from(provider().der);
  // The outer length in three octets where two do.
  const padded = Buffer.concat([Buffer.of(0x30, 0x83, 0), der.subarray(2)]);
  expect(malformedDetail(padded)).toMatch('shortest');
  expect(malformedDetail(Buffer.concat([Buffer.of(0x30, 0x80), der.subarray(4), Buffer.of(0, 0)]))).toMatch(
    'indefinite',
  );
});

test('refuses ten thousand nested sequences without recursing into them', () => {
  let nested = '';
  for (let depth = 0; depth < 10_000; depth += 1) nested = sequence(nested);
  expect(malformedDetail(Buffer.from(nested, 'hex'))).toMatch('nested');
});

test('reads a chain in order with text and other PEM blocks around its certificates', () => {
  const issued = provider();
  const body = `# Example Telephone Company\r\n${issued.publicKeyPem}${issued.certificatePem}\nintermediate:\n${pki.intermediate.certificatePem.replaceAll('\n', '\r\n')}end`;
  const result = parseCertificateChain(Buffer.from(body));
  expect(result).toMatchObject({
    status: 'parsed',
    chain: [{ sha256: issued.sha256 }, { sha256: pki.intermediate.sha256 }],
  });
});

test.each([
  ['an empty body', '', 'empty-chain'],
  ['no PEM block', 'hello', 'not-pem'],
  ['a block that does not end', '-----BEGIN CERTIFICATE-----\nMIIB\n', 'not-pem'],
  ['base64url in a block', '-----BEGIN CERTIFICATE-----\nMI-_\n-----END CERTIFICATE-----', 'not-pem'],
  ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', 'not-pem'],
  ['a block that is no certificate', '-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----', 'malformed-der'],
  ['a label inside a line', 'x-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----', 'not-pem'],
])('refuses %s as a chain', (_, body, reason) => {
  expect(parseCertificateChain(body)).toMatchObject({ status: 'malformed', reason });
});

test('accepts ten certificates and refuses eleven', () => {
  const small = provider({ crlDistributionPoints: 'absent', certificatePolicies: 'absent' }).certificatePem;
  expect(parseCertificateChain(small.repeat(10)).status).toBe('parsed');
  expect(parseCertificateChain(small.repeat(11))).toMatchObject({ reason: 'too-many-certificates' });
});

test('accepts a body of 16,384 bytes and refuses one more', () => {
  const pem = provider().certificatePem;
  const filler = '\n'.repeat(CERTIFICATE_CHAIN_MAX_BYTES - pem.length);
  expect(parseCertificateChain(pem + filler).status).toBe('parsed');
  expect(parseCertificateChain(`${pem + filler}\n`)).toMatchObject({ status: 'malformed', reason: 'too-large' });
});

test('refuses a chain with a block that begins on the END line of the one before', () => {
  const body = provider().certificatePem + '-----END CERTIFICATE-----' + pki.intermediate.certificatePem;
  expect(parseCertificateChain(body)).toMatchObject({ status: 'malformed', reason: 'not-pem' });
});

test('reads a chain whose blocks begin after blanks or a byte order mark', () => {
  const issued = provider();
  const chain = { status: 'parsed', chain: [{ sha256: issued.sha256 }, { sha256: pki.intermediate.sha256 }] };
  for (const before of ['\ufeff', ' ', '\t ', '\ufeff ']) {
    const body = before + issued.certificatePem + before + pki.intermediate.certificatePem;
    expect(parseCertificateChain(body)).toMatchObject(chain);
    expect(parseCertificateChain(Buffer.from(body))).toMatchObject(chain);
  }
});

test('does not confuse a text with a value of another type that is written alike', () => {
  const octets = '300c310a30080603550403040101';
  const text = `30123110300e06035504030c07${Buffer.from('#040101').toString('hex')}`;
  const [one, two] = [octets, text].map((name) => readDistinguishedName(readDer(Buffer.from(name, 'hex'))));
  expect(one?.attributes).toEqual(two?.attributes);
  expect(one?.canonical).toBe('CN=#040101');
  expect(two?.canonical).toBe('CN=\\#040101');
});

const withExtension = (oid: string, value: string, options: CertificateOptions = {}) =>
  parseCertificate(
    provider({
      certificatePolicies: 'absent',
      crlDistributionPoints: 'absent',
      ...options,
      extraExtensions: [{ oid, value: Buffer.from(value, 'hex') }],
    }).der,
  );

test('refuses 5,400 empty distribution points, which cost thirty times their bytes in memory', () => {
  const hostile = withExtension('2.5.29.31', listOf(5_400, '3000'));
  expect(hostile).toMatchObject({ status: 'malformed', detail: 'list of more than 16 elements' });
});

const statusOf = (options: CertificateOptions): string => parseCertificate(provider(options).der).status;
const many = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));
const extensions = (count: number) => many(count, (index) => ({ oid: `2.999.${index}`, value: Buffer.of(5, 0) }));

function distributionPoint(urls: number): string {
  const names = '8603782f2f'.repeat(urls);
  const hexLength = (bytes: number) => bytes.toString(16).padStart(2, '0');
  const size = names.length / 2;
  return `30${hexLength(size + 6)}30${hexLength(size + 4)}a0${hexLength(size + 2)}a0${hexLength(size)}${names}`;
}

const LONGEST_LISTS: readonly (readonly [string, number, (count: number) => string])[] = [
  ['distribution points', 16, (count) => withExtension('2.5.29.31', listOf(count, '3000')).status],
  ['URLs of a distribution point', 16, (count) => withExtension('2.5.29.31', distributionPoint(count)).status],
  ['policies', 16, (count) => withExtension('2.5.29.32', listOf(count, '300306012a')).status],
  ['purposes', 16, (count) => withExtension('2.5.29.37', listOf(count, '06012a')).status],
  ['authorities', 512, (count) => statusOf({ tnAuthList: Buffer.from(listOf(count, 'a203160131'), 'hex') })],
  // Seven of the profile are there already.
  ['extensions', 64, (count) => statusOf({ extraExtensions: extensions(count - 7) })],
  ['relative names', 32, (count) => statusOf({ subject: many(count, () => ({ type: 'OU', value: 'x' }) as const) })],
  ['claims', 64, (count) => statusOf({ jwtClaimConstraints: { mustInclude: many(count, () => 'rcd') } })],
  [
    'permitted values of all claims',
    256,
    (count) => {
      const halves = [Math.ceil(count / 2), Math.floor(count / 2)];
      const permittedValues = halves.map((half) => ({ claim: 'rcd', permitted: many(half, () => 'x') }));
      return statusOf({ jwtClaimConstraints: { permittedValues } });
    },
  ],
];

test.each(LONGEST_LISTS)('reads as many %s as %i and refuses one more', (_, most, status) => {
  expect(status(most)).toBe('parsed');
  expect(status(most + 1)).toBe('malformed');
});

test('the memory of a certificate is estimated by what it holds', () => {
  const tnAuthList = many(500, (index) => ({ kind: 'one', tn: String(12025550000 + index) }) as const);
  const estimate = (options: CertificateOptions) => estimatedBytes(parsed(provider(options)));
  const plain = estimate({});
  expect(plain).toBeGreaterThan(6_000);
  // 8,192 chains of two have to fit into the 150,994,944 bytes of the cache.
  expect(plain).toBeLessThan(9_216);
  // Measured: 95 bytes of heap for one of many numbers.
  expect(estimate({ tnAuthList }) - plain).toBeGreaterThan(499 * 95);
  expect(estimate({ extraExtensions: extensions(50) }) - plain).toBeGreaterThan(50 * 100);
  expect(estimate({ organization: 'x'.repeat(4_000) }) - plain).toBeGreaterThan(3 * 4_000);
});

test('reads nine bits of key usage and refuses a third octet, in which readers through a number see other bits', () => {
  const usages = (value: string) => {
    const result = withExtension('2.5.29.15', value, { keyUsage: 'absent' });
    return result.status === 'parsed' ? result.certificate.keyUsage?.usages : result.detail;
  };
  expect(usages('03020780')).toEqual(['digitalSignature']);
  const all = 'digitalSignature nonRepudiation keyEncipherment dataEncipherment keyAgreement keyCertSign cRLSign';
  expect(usages('030307ff80')).toEqual([...all.split(' '), 'encipherOnly', 'decipherOnly']);
  expect(usages('030100')).toEqual([]);
  expect(usages('0309001b80000000000080')).toMatch('two octets');
});

test('reads extended key usage and the certificate that an authority key identifier names', () => {
  // An octet 80 in the middle of an arc does not end it.
  const extendedKeyUsage = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.4.1.16384'];
  expect(parsed(provider({ extendedKeyUsage })).extendedKeyUsage).toEqual(extendedKeyUsage);
  const identifier = (value: string) => withExtension('2.5.29.35', value, { authorityKeyIdentifier: 'absent' });
  // CN=a, serial number 7f
  expect(identifier('3015a110a40e300c310a300806035504030c016182017f')).toMatchObject({
    certificate: { authorityCertificate: { issuer: 'CN=a', serialNumber: '7f' } },
  });
  expect(identifier('300382017f')).toMatchObject({ status: 'malformed' });
});

test('refuses an EC key whose point is not on its curve, or beyond its field', () => {
  const issued = provider();
  const { x = '' } = issued.key.publicKeyJwk;
  const change = (replace: (point: Buffer) => void) => {
    const der = Buffer.from(issued.der);
    const at = der.indexOf(Buffer.from(x, 'base64url'));
    replace(der.subarray(at, at + 64));
    return parseCertificate(der).status;
  };
  expect(change(() => undefined)).toBe('parsed');
  expect(change((point) => point.writeUInt8((point.at(-1) ?? 0) ^ 1, 63))).toBe('malformed');
  expect(change((point) => point.fill(0xff, 0, 32))).toBe('malformed');
  expect(change((point) => point.fill(0))).toBe('malformed');
});

test('makes the key object once, and a copy of the certificate has it too', () => {
  for (const curve of ['P-256', 'P-384', 'P-521', 'Ed25519'] as const) {
    const key = createTestKey(curve);
    const certificate = parsed(provider({ key }));
    expect({ ...certificate }.publicKey).toBe(certificate.publicKey);
    expect(certificate.publicKey.equals(key.publicKey)).toBe(true);
  }
});

const range = (start: string, count: number): TnAuthEntry => ({ kind: 'range', start, count });
const one = (tn: string): TnAuthEntry => ({ kind: 'one', tn });
const spc = (code: string): TnAuthEntry => ({ kind: 'spc', spc: code });

test('a range of fifteen digits and a count beyond them is exact', () => {
  const list = [range('999999999999990', Number.MAX_SAFE_INTEGER)];
  expect(tnAuthListCovers(list, '999999999999999')).toBe(true);
  expect(tnAuthListCovers(list, '999999999999989')).toBe(false);
});

test('a number with * or # is covered by its own text only', () => {
  expect(tnAuthListCovers([one('*67')], '*67')).toBe(true);
  expect(tnAuthListCovers([range('*67', 5)], '*67')).toBe(true);
  expect(tnAuthListCovers([range('*67', 5)], '*68')).toBe(false);
  expect(tnAuthListCovers([range('*67', 5)], '168')).toBe(false);
  expect(tnAuthListCovers([range('100', 5)], '1*3')).toBe(false);
});

test('an SPC names no number', () => {
  expect(tnAuthListCovers([spc('709J')], '12025550100')).toBe(false);
});

test.each<[string, TnAuthEntry[], TnAuthEntry[], boolean]>([
  ['the same SPC', [spc('709J')], [spc('709J')], true],
  ['another SPC', [spc('709J')], [spc('709K')], false],
  ['one of two SPCs', [spc('709J'), spc('888X')], [spc('888X')], true],
  ['numbers under an SPC', [spc('709J')], [range('12025550100', 100), one('911')], true],
  ['an SPC under numbers', [range('12025550100', 100)], [spc('709J')], false],
  ['the same starred number', [one('*67')], [one('*67')], true],
  ['a starred number that only counts on', [range('*67', 5)], [one('*68')], false],
  ['no entries', [one('2000')], [], true],
])('encompassing: %s', (_, parent, child, expected) => {
  expect(encompasses(parent, child)).toBe(expected);
});

test('a text names eight entries and counts the rest', () => {
  expect(tnAuthListText([spc('709J'), one('911'), range('2000', 10)])).toBe('spc 709J, 911, 2000 and the 9 after it');
  expect(tnAuthListText(Array.from({ length: 11 }, () => one('911')))).toMatch(/ and 3 more$/);
});

test('finds each number among hundreds of ranges in any order, and no number between them', () => {
  const starts = Array.from({ length: 400 }, (_, index) => 2000 + ((index * 37) % 400) * 10);
  const parent = starts.map((start) => range(String(start), 5));
  const lasts = starts.map((start) => one(String(start + 4)));
  expect(encompasses(parent, lasts)).toBe(true);
  for (const start of starts) expect(encompasses(parent, [one(String(start + 5))])).toBe(false);
  expect(encompasses(parent, [one('1999')])).toBe(false);
});

test('compares ranges of fifteen digits exactly', () => {
  const parent = [range('999999999999000', 999)];
  expect(encompasses(parent, [range('999999999999000', 999)])).toBe(true);
  expect(encompasses(parent, [range('999999999999000', 1000)])).toBe(false);
  expect(encompasses([range('999999999999000', Number.MAX_SAFE_INTEGER)], [one('999999999999999')])).toBe(true);
});
