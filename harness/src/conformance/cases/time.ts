import type { PassportOptions } from '@hopback/sdk/testing';
import type { VerificationCase } from '../case.js';
import type { CaseDetails } from './build-case.js';
import { callWith, fault, identityOf, PASSED, REFUSED, token, verificationCase } from './build-case.js';

const IAT = 'RFC 8224 §6.2 step 4, ATIS-1000082 (row 15)';

const issued = (details: CaseDetails, seconds: number, expects: VerificationCase['expects']): VerificationCase =>
  verificationCase('time', details, {
    sends: token(({ nowSeconds }): Partial<PassportOptions> => ({ iatSeconds: nowSeconds + seconds })),
    expects,
  });

/** Freshness. The sixty seconds are a recommendation, so that what lies close to them is judged mildly. */
export const TIME: readonly VerificationCase[] = [
  issued(
    {
      number: 'V-251',
      title: 'passes an iat that is 30 s old',
      source: `${IAT}: 60 s are recommended, local policy decides`,
      level: 'should',
    },
    -30,
    PASSED,
  ),
  issued(
    { number: 'V-252', title: 'passes an iat that is 5 s ahead: clocks differ', source: IAT, level: 'should' },
    5,
    PASSED,
  ),
  issued(
    {
      number: 'V-253',
      title: 'refuses an iat that is 75 s old',
      source: `${IAT}: 60 s are recommended`,
      level: 'should',
    },
    -75,
    REFUSED,
  ),
  issued({ number: 'V-254', title: 'refuses an iat that is 10 minutes old', source: IAT }, -600, REFUSED),
  issued({ number: 'V-255', title: 'refuses an iat that is a year old', source: IAT }, -31_536_000, REFUSED),
  issued({ number: 'V-256', title: 'refuses an iat that is 10 minutes ahead', source: IAT }, 600, REFUSED),
  issued({ number: 'V-257', title: 'refuses an iat that is a year ahead', source: IAT }, 31_536_000, REFUSED),
  verificationCase(
    'time',
    { number: 'V-258', title: 'refuses an iat in milliseconds', source: 'RFC 8225 §5.1.1, RFC 7519 §2 (NumericDate)' },
    { sends: fault('iat-milliseconds'), expects: REFUSED },
  ),
  verificationCase(
    'time',
    { number: 'V-259', title: 'refuses an iat that is a string', source: 'RFC 8225 §5.1.1, RFC 7519 §2 (NumericDate)' },
    { sends: fault('iat-string'), expects: REFUSED },
  ),
  verificationCase(
    'time',
    { number: 'V-260', title: 'refuses a negative iat', source: IAT },
    { sends: fault('iat-negative'), expects: REFUSED },
  ),
  verificationCase(
    'time',
    {
      number: 'V-261',
      title: 'refuses an old token under an old Date: both were copied',
      source: 'RFC 8224 §6.2 step 4, §12.1',
      needs: ['date'],
    },
    {
      sends: (setting) => {
        const iatSeconds = setting.nowSeconds - 3600;
        return callWith(setting, [identityOf(setting, { iatSeconds })], { dateSeconds: iatSeconds });
      },
      expects: REFUSED,
    },
  ),
];
