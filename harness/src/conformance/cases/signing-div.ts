import { divertedTn } from '@hopback/sdk/testing';
import type { Capability, SigningAsk, SigningCase } from '../case.js';
import type { CaseSetting } from '../case-setting.js';
import { isSignedBy } from '../signing/signed-token.js';
import { identityOf } from './build-case.js';
import { differs, signedCase, unsignedCase } from './signing.js';

const NEEDS: readonly Capability[] = ['sign-div'];
const GROUP = 'signing-div';
const DIV = 'RFC 8946 §3, §4';

/** The callee diverts the call of the setting to the next number. */
const divertedAsk = (setting: CaseSetting): SigningAsk => ({
  origTn: setting.origTn,
  destTn: [divertedTn(setting, 1)],
  iatSeconds: setting.nowSeconds,
  div: { divertingTn: setting.destTn, identity: [identityOf(setting)] },
});

/** Signatures of a service for calls that go on elsewhere. */
export const SIGNING_DIV: readonly SigningCase[] = [
  signedCase(
    {
      number: 'S-151',
      title: 'writes ppt "div" into the token of a diverted call',
      source: DIV,
      needs: NEEDS,
      group: GROUP,
    },
    ({ header, parameters }) =>
      differs('ppt', header['ppt'], 'div') ??
      differs('the ppt parameter', parameters.get('ppt')?.replaceAll('"', ''), 'div'),
    divertedAsk,
  ),
  signedCase(
    {
      number: 'S-152',
      title: 'writes who diverted, where to, and whose call it is',
      source: DIV,
      needs: NEEDS,
      group: GROUP,
    },
    ({ claims }, { ask }) =>
      differs('div.tn', (claims['div'] as { readonly tn?: unknown } | undefined)?.tn, ask.div?.divertingTn) ??
      differs('dest', claims['dest'], { tn: ask.destTn }) ??
      differs('orig', claims['orig'], { tn: ask.origTn }),
    divertedAsk,
  ),
  signedCase(
    {
      number: 'S-153',
      title: 'writes no attestation and no origid into a div',
      source: 'RFC 8946 §3',
      level: 'should',
      needs: NEEDS,
      group: GROUP,
    },
    ({ claims }) => differs('the list of claims', Object.keys(claims).sort(), ['dest', 'div', 'iat', 'orig']),
    divertedAsk,
  ),
  signedCase(
    {
      number: 'S-154',
      title: 'signs a div so that the key of its certificate verifies it',
      source: 'RFC 8946 §4',
      needs: NEEDS,
      group: GROUP,
    },
    (token, { publicKeyPem }) => (isSignedBy(token, publicKeyPem) ? undefined : 'the signature does not verify'),
    divertedAsk,
  ),
  unsignedCase(
    {
      number: 'S-155',
      title: 'signs no div for a call that was never signed',
      source: 'RFC 8946 §4',
      needs: NEEDS,
      group: GROUP,
    },
    (setting) => ({ ...divertedAsk(setting), div: { divertingTn: setting.destTn, identity: [] } }),
  ),
];
