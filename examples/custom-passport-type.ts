import { base, VerificationService, PASSPORT_TYPES } from '@hopback/sdk/stir';
import type { PassportType, VerificationServiceOptions } from '@hopback/sdk/stir';
import { CertificateRepository, loadTrustStore } from '@hopback/sdk/stir';
import { createPassport } from '@hopback/sdk/testing';
import { isMain, openLab } from './lab.js';

/**
 * A PASSporT type of your own: what RFC 8225 asks of every PASSporT, and a `campaign` beside it. As an `annotation` it
 * is verified like any other and never changes what is said of the caller.
 */
export const campaign: PassportType = {
  ppt: 'x-campaign',
  role: 'annotation',
  compactForm: false,
  section: 'house rule 7',
  readClaims(payload) {
    const { campaign: name, ...common } = payload;
    const read = base.readClaims(common);
    if (read.status === 'malformed') return read;
    if (typeof name === 'string' && /^[a-z0-9-]{1,32}$/.test(name))
      return { ...read, claims: { ...read.claims, extension: { campaign: name } } };
    const actual = name === undefined ? 'absent' : 'something else';
    const reason = name === undefined ? 'claim-missing' : 'claim-malformed';
    return { status: 'malformed', problems: [{ reason, claim: 'campaign', expected: '1 to 32 of a-z 0-9 -', actual }] };
  },
};

/** A verification service that knows it beside shaken, div and the PASSporT without extension. */
export function withCampaigns(options: VerificationServiceOptions): VerificationService {
  return new VerificationService({ ...options, passportTypes: [...PASSPORT_TYPES, campaign] });
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const certificates = new CertificateRepository(lab.repository);
  const service = withCampaigns({ certificates, trustStore: await loadTrustStore(lab.trust) });
  const iatSeconds = Math.floor(Date.now() / 1000);
  const claims = { campaign: 'reminders-7', attest: undefined, origid: undefined };
  const beside = createPassport({ signer: lab.provider, x5u: lab.x5u, ppt: 'x-campaign', iatSeconds, claims });
  const [from, to] = ['sip:+12025550101@a.example', 'sip:+12025550199@b.example'];
  const verdict = await service.verify({ identity: [lab.identityHeader, beside.identityHeader], from, to });
  const [, outcome] = verdict.outcomes;
  if (outcome?.status === 'passed') console.log(outcome.passport.extension); // { campaign: 'reminders-7' }
  for (const part of [certificates, lab]) await part.close();
}
