import { compactVerify } from 'jose';
import { expect, test } from 'vitest';
import { encodeBase64Url } from '../../sdk/src/core/base64url.js';
import type { PendingVerification } from '../../sdk/src/stir/verification/core.js';
import { loadVectors, runVector } from '../support/vectors.js';

// jose is the oracle of the one check that does not go through it (docs/decisions/0002): both must agree on every signature of
// every vector that is worth checking.

interface Checked {
  readonly jws: string;
  readonly publicKey: Parameters<typeof compactVerify>[1];
  readonly isValid: boolean;
}

function checkedIn(pending: PendingVerification): readonly Checked[] {
  return pending.tokens.flatMap(({ passport, path, signatureValid }) => {
    const leaf = path?.status === 'trusted' ? path.path.certificates[0] : undefined;
    if (passport === undefined || leaf === undefined || signatureValid === undefined) return [];
    const jws = `${passport.signingInput}.${encodeBase64Url(passport.signature)}`;
    return [{ jws, publicKey: leaf.publicKey, isValid: signatureValid }];
  });
}

const checked = loadVectors().flatMap((vector) =>
  checkedIn(runVector(vector).pending).map((one, index) => [`${vector.name} ${index}`, one] as const),
);

test.each(checked)(
  'jose says of the signature of %s what the verifier says',
  async (_name, { jws, publicKey, isValid }) => {
    const verified = await compactVerify(jws, publicKey, { algorithms: ['ES256'] }).then(
      () => true,
      () => false,
    );
    expect(verified).toBe(isValid);
  },
);

test('there are good and bad signatures among them', () => {
  expect(checked.filter(([, { isValid }]) => isValid).length).toBeGreaterThan(10);
  expect(checked.filter(([, { isValid }]) => !isValid).length).toBeGreaterThan(2);
});
