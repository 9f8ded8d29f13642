import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleInvite } from '@hopback/sdk/testing';
import { verifyIdentity } from '../../sdk/src/switch/index.js';

const line = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('<', '"', 'sip:911', ';', ',', '\r\n ', 'sos'));
const text = fc.array(line, { maxLength: 12 }).map((parts) => parts.join(''));

test('whatever a peer sends, the call is handed on and nothing is thrown', async () => {
  const middleware = verifyIdentity({
    service: { verify: async () => Promise.reject(new Error('away')) },
    doNotOriginate: { has: () => true },
  });
  await fc.assert(
    fc.asyncProperty(text, text, text, async (from, to, more) => {
      for (const raw of [
        sampleInvite({ from, to, requestUri: to, headers: [`Privacy: ${more}`, `Resource-Priority: ${more}`, more] }),
        more,
      ]) {
        const ended = await new Promise<string>((resolve) => {
          middleware({ raw }, { send: () => resolve('refused') }, () => resolve('handed on'));
        });
        expect(ended).toBe('handed on');
      }
    }),
  );
});
