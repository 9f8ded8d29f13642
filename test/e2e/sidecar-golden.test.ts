import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, expect, test } from 'vitest';
import { settingOfText } from '../../sdk/src/sidecar/config/read-configuration.js';
import type { Sidecar } from '../../sdk/src/sidecar/index.js';
import { ask, openSidecarLab } from '../support/sidecar-lab.js';
import { VECTOR_FOLDER } from '../support/vectors.js';

const FOLDER = `${VECTOR_FOLDER}sidecar/`;
const golden = readdirSync(FOLDER).map((file) => readGolden(file));
const lab = await openSidecarLab();
const sidecars = new Map<string, Sidecar>();
afterAll(() => lab[Symbol.asyncDispose]());

/** A request and its answer as files have them; test/vectors/README.md says how. */
function readGolden(file: string) {
  const text = readFileSync(`${FOLDER}${file}`, 'utf8');
  const [head = '', answer = ''] = text.split('\n=> ');
  const [remarks = '', request = '', ...body] = head.split('\n\n');
  const [first = '', ...headerLines] = request.split('\n');
  const [method = '', path = ''] = first.split(' ');
  const [answerHead = '', ...answerBody] = answer.split('\n\n');
  const [status = '', ...answerHeaderLines] = answerHead.split('\n');
  return {
    name: file.replace(/\.txt$/, ''),
    settings: remarks.split('\n').flatMap((line) => (line.startsWith('# set ') ? [line.slice(6)] : [])),
    ...{ method, path, headers: fieldsOf(headerLines), body: body.join('\n\n').trim() },
    ...{ status: Number(status), answerHeaders: fieldsOf(answerHeaderLines), answer: answerBody.join('\n\n').trim() },
  };
}

function fieldsOf(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(lines.filter((line) => line !== '').map((line) => line.split(': ', 2) as [string, string]));
}

async function sidecarWith(settings: readonly string[]): Promise<Sidecar> {
  const key = settings.join(' ');
  const known = sidecars.get(key);
  if (known !== undefined) return known;
  const read = settings.map((text) => settingOfText(text)).filter((setting) => setting !== undefined);
  const sidecar = await lab.start({ settings: read });
  sidecars.set(key, sidecar);
  return sidecar;
}

/** What stands for what differs each time. */
function values(): Readonly<Record<string, string>> {
  const iatSeconds = Math.floor(Date.now() / 1_000);
  const origId = 'de305d54-75b4-431b-adb2-eb6b9e546014';
  const parties = { origTn: '12025550101', destTn: '12025550199', iatSeconds, claims: { origid: origId } };
  const identity = lab.identity(parties);
  return {
    identity,
    passport: identity.split(';')[0] ?? '',
    forged: lab.identity({ ...parties, alterSignature: (signature) => Uint8Array.from(signature).reverse() }),
    stale: lab.identity({ ...parties, iatSeconds: iatSeconds - 3_600 }),
    unreachable: lab.identity({ ...parties, x5u: lab.server.url('/nothing.pem') }),
    div: lab.identity({
      ...{ ppt: 'div', iatSeconds, origTn: '12025550101', destTn: '12025550177' },
      claims: { div: { tn: '12025550199' } },
    }),
    x5u: lab.x5u,
    now: String(iatSeconds),
  };
}

const filled = (text: string, by: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => by[name] ?? whole);

/** Equal but for what `{{*}}` stands for. */
function matches(actual: string, wanted: string): boolean {
  const parts = wanted.split('{{*}}');
  let at = 0;
  return parts.every((part, index) => {
    const found = index === 0 ? (actual.startsWith(part) ? 0 : -1) : actual.indexOf(part, at);
    at = found + part.length;
    return found >= 0 && (index < parts.length - 1 || part === '' || at === actual.length);
  });
}

test.each(golden)('$name', async (file) => {
  const sidecar = await sidecarWith(file.settings);
  const by = values();
  const { method, path, headers } = file;
  const body = filled(file.body, by);
  const answer = await ask(sidecar, path, { method, headers, ...(body !== '' && { body }) });
  const wanted = filled(file.answer, by);
  expect(matches(answer.text, wanted) ? wanted : answer.text).toBe(wanted);
  expect(answer.status).toBe(file.status);
  for (const [name, value] of Object.entries(file.answerHeaders))
    expect(matches(answer.headers.get(name) ?? '', value) ? value : answer.headers.get(name)).toBe(value);
});

test('every file is what the OpenAPI document of the sidecar says that requests and answers are', async () => {
  const sidecar = await sidecarWith([]);
  const document = JSON.parse((await ask(sidecar, '/openapi.json')).text) as Readonly<Record<string, unknown>>;
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'https://sidecar.example/openapi.json', ...document });
  const isValid = (name: string, text: string): boolean =>
    ajv.validate(
      { $ref: `https://sidecar.example/openapi.json#/components/schemas/${name}` },
      JSON.parse(filled(text, { ...values(), x: '' }).replaceAll('{{*}}', 'x')),
    );
  for (const { name, path, status, body, answer } of golden) {
    const kind = path.endsWith('/signing') ? 'Signing' : 'Verification';
    expect([name, isValid(status === 200 ? `${kind}Response` : 'RequestError', answer)]).toEqual([name, true]);
    if (status === 200) expect([name, isValid(`${kind}Request`, body)]).toEqual([name, true]);
  }
});
