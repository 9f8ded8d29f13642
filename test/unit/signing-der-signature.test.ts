import { expect, test } from 'vitest';
import { derToRawSignature, rawToDerSignature } from '../../sdk/src/stir/signing/index.js';

const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const scalar = (text: string): string => text.padStart(64, '0');
const reasonOfDer = (text: string): string => {
  const result = derToRawSignature(hex(text));
  return result.status === 'converted' ? result.status : result.reason;
};

test('converts r and s of one octet each to 64 octets', () => {
  expect(derToRawSignature(hex('30 06 02 01 01 02 01 7f'))).toEqual({
    status: 'converted',
    signature: hex(scalar('1') + scalar('7f')),
  });
});

test('drops the zero octet that keeps a number positive', () => {
  const high = '80'.padEnd(64, '0');
  const der = `30 46 0221 00${high} 0221 00${high}`;
  expect(derToRawSignature(hex(der))).toEqual({ status: 'converted', signature: hex(high + high) });
  expect(rawToDerSignature(hex(high + high))).toEqual({ status: 'converted', signature: hex(der) });
});

test('takes the largest scalars there are and refuses the order itself', () => {
  const largest = `${ORDER.slice(0, -2)}50`;
  expect(derToRawSignature(hex(`30460221 00${largest} 0221 00${largest}`)).status).toBe('converted');
  expect(reasonOfDer(`3026 0221 00${ORDER} 020101`)).toBe('out-of-range');
  expect(rawToDerSignature(hex(scalar('1') + ORDER))).toEqual({ status: 'malformed', reason: 'out-of-range' });
});

test.each([
  ['no octets at all', '', 'not-a-sequence'],
  ['a tag alone', '30', 'length'],
  ['another tag', '31 06 020101 020101', 'not-a-sequence'],
  ['a length in the long form', '30 81 06 020101 020101', 'length'],
  ['the indefinite length', '30 80 020101 020101 0000', 'length'],
  ['a sequence longer than the octets', '30 07 020101 020101', 'length'],
  ['an octet behind the sequence', '30 06 020101 020101 00', 'trailing-octets'],
  ['an octet behind s', '30 07 020101 020101 00', 'trailing-octets'],
  ['one integer only', '30 03 020101', 'not-an-integer'],
  ['an octet string in place of s', '30 06 020101 040101', 'not-an-integer'],
  ['an integer without octets', '30 05 0200 020101', 'length'],
  ['an integer that runs past the end', '30 06 020101 020201', 'length'],
  ['a negative r', '30 06 020180 020101', 'integer-negative'],
  ['a zero octet too many', '30 07 02020001 020101', 'integer-not-minimal'],
  ['r of zero', '30 06 020100 020101', 'out-of-range'],
  ['s of zero', '30 06 020101 020100', 'out-of-range'],
  ['r of 33 significant octets', `3026 0221 01${scalar('1')} 020101`, 'out-of-range'],
  ['more octets than any P-256 signature has', `30${'00'.repeat(72)}`, 'length'],
])('refuses %s', (_what, der, reason) => {
  expect(reasonOfDer(der)).toBe(reason);
});

test.each([
  ['63 octets', '01'.repeat(63), 'length'],
  ['65 octets', '01'.repeat(65), 'length'],
  ['an r of zero', scalar('0') + scalar('1'), 'out-of-range'],
])('refuses %s as a raw signature', (_what, raw, reason) => {
  expect(rawToDerSignature(hex(raw))).toEqual({ status: 'malformed', reason });
});
