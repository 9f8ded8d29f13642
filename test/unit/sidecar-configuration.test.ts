import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configurationJsonSchema } from '../../sdk/src/sidecar/config/configuration.schema.js';
import { readConfiguration, settingOfText } from '../../sdk/src/sidecar/config/read-configuration.js';
import type { ConfigurationSources } from '../../sdk/src/sidecar/config/read-configuration.js';

const TRUST = 'trust: { roots: [roots.pem] }\n';

const problemsOf = (sources: ConfigurationSources): readonly unknown[] => {
  const result = readConfiguration(sources);
  return result.status === 'invalid' ? result.problems : [];
};

function configurationOf(sources: ConfigurationSources) {
  const result = readConfiguration(sources);
  if (result.status === 'invalid') throw new Error(JSON.stringify(result.problems));
  return result.configuration;
}

test('what is left out has its default: loopback, one process, nothing signed', () => {
  const { listen, signing, workers, answers, verification } = configurationOf({ text: TRUST });
  expect(listen).toEqual({ calls: { host: '127.0.0.1', port: 8090, tokens: [], maxBodyBytes: 65_536 } });
  expect(signing).toBeUndefined();
  expect([workers, answers.verification, verification.timeBudgetMs]).toEqual([1, 'by-request', 500]);
});

test('each problem has the line and column of its member', () => {
  const text = `${TRUST}listen:\n  calls:\n    port: 80900\ntrunks:\n  acme:\n    role: boss\nfoo: 1\n`;
  expect(problemsOf({ text })).toEqual([
    { member: 'listen.calls.port', text: 'listen.calls.port must be at most 65535', line: 4, column: 5 },
    expect.objectContaining({ member: 'trunks.acme.role', line: 7, column: 5 }),
    { member: 'foo', text: 'there is no member foo', line: 8, column: 1 },
  ]);
});

test('a missing member is reported at the object that lacks it', () => {
  const text = `${TRUST}signing:\n  key: key.pem\n  x5u: https://a.example/b.pem\n`;
  expect(problemsOf({ text })).toEqual([
    { member: 'signing.certificate', text: 'signing.certificate is missing', line: 2, column: 1 },
  ]);
});

test.each([
  ['127.0.0.1', 9_000, 1],
  ['0.0.0.0', 9_000, 1],
  ['192.0.2.1', 9_000, 0],
  ['127.0.0.1', 9_001, 0],
  ['127.0.0.1', 0, 0],
])('two listeners at one address are reported: admin at %s port %d', (host, port, count) => {
  const calls = port === 0 ? 0 : 9_000;
  const text = `${TRUST}listen:\n  calls: { port: ${calls} }\n  admin:\n    host: ${host}\n    port: ${port}\n`;
  const problem = expect.objectContaining({ member: 'listen.admin.port', line: 6 }) as unknown;
  expect(problemsOf({ text })).toEqual(Array.from({ length: count }, () => problem));
});

test.each([
  ['text that is not YAML', 'trust:\n  roots: [a\n', { member: '', line: 3 }],
  ['no trust anchor', 'trust: {}', { member: 'trust' }],
  ['a list without its STI-PA root', 'trust: { list: { path: list.jws } }', { member: 'trust.stiPaRoots' }],
  [
    'a trunk that rejects where its role may not',
    `${TRUST}trunks:\n  acme: { role: intermediate, failureAction: reject_request }\n`,
    { member: 'trunks.acme', line: 3, text: expect.stringContaining('intermediate') as string },
  ],
])('%s is reported at its place', (_what, text, problem) => {
  expect(problemsOf({ text })).toEqual([expect.objectContaining(problem)]);
});

test('flags win over variables, and those over the file', () => {
  const setting = settingOfText('workers=4');
  const environment = {
    ...{ HOPBACK__WORKERS: '3', HOPBACK__LISTEN__CALLS__PORT: '8443', HOPBACK__TRUNKS__ACME__ROLE: 'gateway' },
  };
  const settings = setting === undefined ? [] : [setting];
  expect(configurationOf({ text: `${TRUST}workers: 2\n`, environment, settings })).toMatchObject({
    ...{ workers: 4, listen: { calls: { port: 8_443 } } },
    trunks: { acme: { role: 'gateway', verify: 'when-signed' } },
  });
});

test('variables find members whatever their case', () => {
  const environment = { HOPBACK__RELOADSECONDS: '7', HOPBACK__ANSWERS__BASE_PATHS: '[/a]', HOPBACK_KEY: 'other' };
  const { reloadSeconds, answers } = configurationOf({ text: TRUST, environment });
  expect([reloadSeconds, answers.basePaths]).toEqual([7, ['/a']]);
});

test('a wrong value of a variable is reported with the name of the variable', () => {
  expect(problemsOf({ text: TRUST, environment: { HOPBACK__WORKERS: 'many' } })).toEqual([
    { member: 'workers', text: 'workers must be a number', from: 'HOPBACK__WORKERS' },
  ]);
});

test('a text without a path is not a setting', () => {
  expect([settingOfText('workers'), settingOfText('=3'), settingOfText('')]).toEqual([undefined, undefined, undefined]);
});

test('the JSON Schema for editors takes what is taken, and refuses what is not', () => {
  const validate = new Ajv({ strict: false, logger: false }).compile(configurationJsonSchema());
  const good = parse(`${TRUST}listen: { calls: { port: 0 } }\ntrunks: { default: { role: terminating } }\n`) as unknown;
  expect(validate(good)).toBe(true);
  expect(validate({ trust: {}, listen: { calls: { port: 'high' } } })).toBe(false);
  expect(validate({ trust: {}, foo: 1 })).toBe(false);
});
