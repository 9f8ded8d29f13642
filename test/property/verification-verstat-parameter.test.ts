import { withVerstat } from '@hopback/sdk/stir';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNameAddr, splitHeaderList } from '../../sdk/src/core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri, type SipUri } from '../../sdk/src/core/sip-uri.js';
import { forAll } from '../support/for-all.js';

const VERSTAT = 'No-TN-Validation';

const piece = fc.constantFrom(
  ...Array.from('@:<>"\\ ,?%;'),
  ...['sip:', 'sips:', 'tel:', 'urn:', '+12025550101', 'alice', 'a.example'],
  ...[';verstat=TN-Validation-Passed', ';VERSTAT', ';%76erstat=x', '%3Bverstat=x', '&verstat=x', ';%2576erstat=x'],
  ...[';user=phone', ';tag=1', ';x=";verstat=a"', ';phone-context=+1', ':55'],
);
const pieces = fc.array(piece, { maxLength: 2 }).map((some) => some.join(''));
/** Values of the right shape with anything in each of their places: most are read. */
const addresses = fc
  .record({
    name: fc.constantFrom('', '"Desk" ', '"verstat" '),
    scheme: fc.constantFrom('sip:', 'sips:', 'tel:', 'urn:'),
    number: fc.constantFrom('+12025550101', '12025550101', 'alice', '911', '+1202'),
    inUser: pieces,
    host: fc.constantFrom('', '@a.example', '@a.example:5061'),
    inUri: pieces,
    behind: pieces,
    brackets: fc.boolean(),
  })
  .map(({ name, scheme, number, inUser, host, inUri, behind, brackets }) => {
    const uri = `${scheme}${number}${inUser}${host}${inUri}`;
    return brackets ? `${name}<${uri}>${behind}` : `${uri}${behind}`;
  });
const nearlyAddresses = fc.oneof(
  addresses,
  fc.tuple(addresses, addresses).map((both) => both.join(', ')),
  fc.array(piece, { maxLength: 12 }).map((some) => some.join('')),
  fc.string(),
);

test('whatever the value, what comes out has the addresses that it had, each number with one verstat: ours', () => {
  forAll([nearlyAddresses], 4000, (value) => {
    const out = withVerstat(value, VERSTAT);
    if (out === undefined) return;
    const before = splitHeaderList(value).map(uriIn);
    const after = splitHeaderList(out).map(uriIn);
    expect(after.map(addressOf)).toStrictEqual(before.map(addressOf));
    const written = after.filter(({ userParams }) => userParams.get('verstat') === VERSTAT);
    expect(written).toStrictEqual(after.filter(takesVerstat));
    expect(wordsIn(out)).toBe(written.length);
  });
});

test('whatever the value, what comes out comes out again as it is', () => {
  forAll([nearlyAddresses], 2000, (value) => {
    const out = withVerstat(value, VERSTAT);
    if (out !== undefined) expect(withVerstat(out, VERSTAT)).toBe(out);
  });
});

function uriIn(value: string): SipUri {
  const address = parseNameAddr(value);
  if (address.status === 'malformed') throw new Error(`${value} cannot be read`);
  const read = parseSipUri(address.uri);
  if (read.status === 'malformed') throw new Error(`${address.uri} cannot be read`);
  return read.uri;
}

function addressOf(uri: SipUri): unknown {
  const { scheme, user, host, port, opaque } = uri;
  return { scheme, user, host, port, opaque, number: telephoneNumberOfUri(uri) };
}

function takesVerstat(uri: SipUri): boolean {
  if (uri.scheme === 'tel') return true;
  return uri.scheme.startsWith('sip') && uri.user !== undefined && telephoneNumberOfUri(uri).kind !== 'none';
}

/** Undoes escapes over and over, as a careless chain of receivers would. */
function wordsIn(text: string): number {
  const once = text.replaceAll(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)));
  return once === text ? text.toLowerCase().split('verstat').length - 1 : wordsIn(once);
}
