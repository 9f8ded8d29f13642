import { withVerstat } from '@hopback/sdk/stir';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNameAddr, splitHeaderList } from '../../sdk/src/core/name-addr.js';
import { parseSipUri } from '../../sdk/src/core/sip-uri.js';

const piece = fc.constantFrom(
  ...['sip:', 'sips:', 'tel:', '+12025550101', 'alice', '@', 'a.example', ':', '<', '>', '"', '\\', ' ', ',', '?'],
  ...[
    ';verstat=TN-Validation-Passed',
    ';VERSTAT',
    ';%76erstat=x',
    ';user=phone',
    ';tag=1',
    ';x=";verstat=a"',
    '%',
    ';',
  ],
);
const nearlyAddresses = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.string(),
);

test('whatever the value, what comes out has no verstat but ours, and comes out again as it is', () => {
  fc.assert(
    fc.property(nearlyAddresses, (value) => {
      const out = withVerstat(value, 'No-TN-Validation');
      if (out === undefined) return;
      for (const one of splitHeaderList(out)) {
        const address = parseNameAddr(one);
        if (address.status === 'malformed') throw new Error(`${one} cannot be read`);
        const uri = parseSipUri(address.uri);
        if (uri.status === 'malformed') throw new Error(`${address.uri} cannot be read`);
        expect(address.params.has('verstat')).toBe(false);
        const { scheme, params, userParams } = uri.uri;
        expect(scheme === 'tel' ? undefined : params.get('verstat')).toBeUndefined();
        expect(['No-TN-Validation', undefined]).toContain(userParams.get('verstat'));
      }
      expect(withVerstat(out, 'No-TN-Validation')).toBe(out);
    }),
    { numRuns: 2000 },
  );
});
