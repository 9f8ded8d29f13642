import { expect, test } from 'vitest';
import { callBackNumbers } from '../../harness/src/platform/domain/campaigns/scripts/call-back-numbers.js';

const numbersIn = (text: string, language?: string): string[] =>
  callBackNumbers(text, language).map(({ number }) => number);

test.each([
  ['Call 315-232-8257 today.', '+13152328257'],
  ['Call (315) 232. 8257 today.', '+13152328257'],
  ['Call 1-800-555-0199.', '+18005550199'],
  ['Call 18005550199.', '+18005550199'],
  ['Call 8 0 0 5 5 5 0 1 9 9 now', '+18005550199'],
  ['Reach us on three one five, two three two, eight two five seven.', '+13152328257'],
  ['Reach us on one eight hundred, five five five, oh one nine nine.', '+18005550199'],
  ['Call four one five, double five five, oh one double nine', '+14155550199'],
  ['that is eight hundred five five five twelve thirty four', '+18005551234'],
  ['dial 800 five five five 0199 please', '+18005550199'],
  ['call eight seven seven five five five ninety nine twenty-one', '+18775559921'],
  ['call eight o o, five five five, o one nine nine', '+18005550199'],
  ['press 1. 315 232 8257', '+13152328257'],
  ['call 1-800-GO-FEDEX', '+18004633339'],
  ['from abroad call +44 20 7946 0958', '+442079460958'],
  ['call 011 44 20 7946 0958 now', '+442079460958'],
])('%j says %s', (text, number) => {
  expect(numbersIn(text, 'en')).toEqual([number]);
});

test.each([
  ['Llame al ocho cero cero, cinco cinco cinco, cero uno nueve nueve', 'es', '+18005550199'],
  ['Marque ochocientos, quinientos cincuenta y cinco, cero uno, noventa y nueve', 'es', '+18005550199'],
  ['请拨打八五五五五五零一九九查询', 'zh', '+18555550199'],
  ['请拨打 八五五 五五五 幺零九九', 'zh', '+18555551099'],
  ['请拨打855-555-0199', 'zh', '+18555550199'],
  ['Ligue para oito zero zero cinco cinco cinco zero um nove nove', 'pt', '+18005550199'],
])('%j in %s says %s', (text, language, number) => {
  expect(numbersIn(text, language)).toEqual([number]);
});

test('a language that is named wrongly does not hide the number', () => {
  expect(numbersIn('Llame al ocho cero cero cinco cinco cinco cero uno nueve nueve', 'en')).toEqual(['+18005550199']);
});

test('a number said again is told once, two numbers in order', () => {
  expect(numbersIn('800 555 0199, again 1 800 555 0199, or 315 232 8257')).toEqual(['+18005550199', '+13152328257']);
});

test.each([
  'a charge of $1,499.99 on order 112-3456789-0099',
  'card 4111 1111 1111 1111',
  'call 123-456-7890',
  'call 911-555-0199',
  'call 315-132-8257',
  'case number 55512345678',
  'two or three times in four or five days',
  '',
])('%j says none', (text) => {
  expect(numbersIn(text, 'en')).toEqual([]);
});

test('where it stands and how it was said is told', () => {
  const text = 'Dial 800 555 0199 now';
  const [number] = callBackNumbers(text);
  expect(number).toEqual({ number: '+18005550199', form: 'digits', start: 5, end: 17 });
  expect(callBackNumbers('eight 0 0 five five five 0199', 'en')[0]?.form).toBe('mixed');
});

test('a directory of numbers is told up to the eighth', () => {
  const directory = Array.from({ length: 20 }, (_, at) => `800 555 01${String(at + 10)}`).join('; ');
  expect(numbersIn(directory)).toHaveLength(8);
});
