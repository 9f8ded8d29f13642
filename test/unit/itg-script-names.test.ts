import { expect, test } from 'vitest';
import { nameOfScript } from '../../harness/src/platform/domain/campaigns/scripts/name-of-script.js';

test.each([
  ['Your social security number has been suspended today, press one.', 'SSA-Suspended', 'government-impersonation'],
  ['The extended warranty on your vehicle is about to expire.', 'AutoWarranty-Extended', 'warranty'],
  ['Your electric service is up for disconnection in 30 minutes.', 'Utility-30MinDisconnect', 'utility'],
  ['On your Amazon account: to authorize the order press 1.', 'Amazon-AuthorizeOrder', 'business-impersonation'],
  ['You can lower the interest rate of your credit card accounts.', 'CCIRR-RateReduction', 'financial'],
  ['Your federal student loan may be up for forgiveness.', 'StudentLoan-Forgiveness', 'student-loan'],
  ['This is Microsoft. Your computer was hacked.', 'Computer-Hijack', 'tech-support'],
  ['Congratulations, you won a stay at a Hilton resort in the Bahamas.', 'Travel-Winner', 'travel-prize'],
  ['Su numero de seguro social sera suspendido por actividad sospechosa.', 'SSA-Suspended', 'government-impersonation'],
  ['您的国际快递包裹无人签收,请按1查询', 'Express-ReturnedParcel', 'business-impersonation'],
  ['Your prescription is ready at the pharmacy.', 'Pharmacy-Refill', 'lawful-looking'],
])('%j is named %s', (transcript, name, kind) => {
  expect(nameOfScript([transcript])).toMatchObject({ name, class: kind });
});

test('a script of no known topic is named by its own words and classed unknown', () => {
  const words = 'The accordion orchestra rehearses on the accordion bridge, bring an umbrella to the orchestra';
  expect(nameOfScript([words])).toMatchObject({ name: 'Accordion-Orchestra', class: 'unknown' });
});

test('one transcript of another script among three does not decide', () => {
  const warranty = 'The extended warranty of your car will expire';
  expect(nameOfScript([warranty, warranty, warranty, 'Your social security number was suspended']).topic).toBe(
    'AutoWarranty',
  );
});

test('a name is found without a transcript, and from transcripts without a word', () => {
  for (const transcripts of [[], [''], ['...', '[Music]'], ['\ud800']])
    expect(nameOfScript(transcripts).name).toMatch(/^[\p{L}\p{N}]+-[\p{L}\p{N}]+$/u);
});
