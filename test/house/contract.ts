import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import asyncApiSpecs from '@asyncapi/specs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv, type AnySchema } from 'ajv';
import * as prettier from 'prettier';
import { makeAsyncApiDocument } from '../../sdk/src/platform/contract/async-api-document.js';
import { plainComponentSchemas } from '../../sdk/src/platform/contract/component-schemas.schema.js';
import { makeOpenApiDocument } from '../../sdk/src/platform/contract/open-api-document.js';
import { contractDocstrings } from './contract-docstrings.js';
import { ROOT } from './run.js';

const FOLDER = 'docs/contract';

/** Rules of redocly's recommended set that are not held to, each with its reason. */
const SWITCHED_OFF: Readonly<Record<string, 'off'>> = {};

/** Where the docstrings of the interfaces stand as data, a file for each resource and one for all of them. */
const DESCRIPTIONS = 'sdk/src/platform/contract/descriptions';

/**
 * Holds the descriptions against the docstrings, the documents of the contract and the schema of scenarios against what the schemas and tables say, OpenAPI against
 * redocly's recommended rules, AsyncAPI against the schema of its specification.
 * @param options - `update`: write descriptions and documents anew instead of comparing
 */
export async function checkContract(options: { readonly update: boolean }): Promise<readonly string[]> {
  for (const folder of [FOLDER, DESCRIPTIONS]) await mkdir(`${ROOT}${folder}`, { recursive: true });
  const descriptions = contractDocstrings(plainComponentSchemas());
  const openApi = makeOpenApiDocument(descriptions);
  const asyncApi = makeAsyncApiDocument(descriptions);
  // Nothing of the harness can be loaded before the sdk is compiled, and the first stage of the check compiles it.
  const { scenarioJsonSchema } = await import('../../harness/src/scenario/index.js');
  const files = [
    ...descriptionSources(descriptions).map(({ name, text }) => ({ path: `${DESCRIPTIONS}/${name}.ts`, text })),
    { path: `${FOLDER}/openapi.json`, text: JSON.stringify(openApi) },
    { path: `${FOLDER}/asyncapi.json`, text: JSON.stringify(asyncApi) },
    // No part of the contract, but written of a schema in the same way.
    { path: 'docs/scenario.schema.json', text: JSON.stringify(scenarioJsonSchema()) },
  ];
  const problems: string[] = [];
  for (const file of files) {
    const text = await formatted(file.path, file.text);
    if (options.update) await writeFile(`${ROOT}${file.path}`, text);
    else if ((await readFile(`${ROOT}${file.path}`, 'utf8').catch(() => '')) !== text)
      problems.push(
        `${file.path} is not what interfaces, schemas and tables say: npm run contract, and look at the difference`,
      );
  }
  const known = new Set(files.map(({ path }) => path));
  for (const name of await readdir(`${ROOT}${DESCRIPTIONS}`))
    if (!known.has(`${DESCRIPTIONS}/${name}`)) problems.push(`${DESCRIPTIONS}/${name} is of no resource: remove it`);
  return [...problems, ...(await lintOpenApi(openApi)), ...validateAsyncApi(asyncApi)];
}

const WRITTEN =
  '// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.';

/** Files of the descriptions, without extension. */
function descriptionSources(
  descriptions: Readonly<Record<string, string>>,
): readonly { readonly name: string; readonly text: string }[] {
  const names = [...new Set(RESOURCES.map(([, name]) => name))].toSorted();
  const constant = (name: string): string => `${name.toUpperCase()}_DESCRIPTIONS`;
  const sources = names.map((name) => {
    const own = Object.entries(descriptions).filter(([place]) => resourceOf(place) === name);
    const what = `/** What members of bodies of ${name} mean. */`;
    const value = JSON.stringify(Object.fromEntries(own));
    return { name, text: [WRITTEN, '', what, typed(constant(name), value)].join('\n') };
  });
  const imports = names.map((name) => `import { ${constant(name)} } from './${name}.js';`);
  const all = `{ ${names.map((name) => `...${constant(name)}`).join(', ')} }`;
  const what = '/** What members of bodies mean. */';
  return [...sources, { name: 'index', text: [WRITTEN, ...imports, '', what, typed('DESCRIPTIONS', all)].join('\n') }];
}

const typed = (name: string, value: string): string =>
  `export const ${name}: Readonly<Record<string, string>> = ${value};`;

/** What the names of bodies begin with, and the resource that they are of; the first that fits. */
const RESOURCES: readonly (readonly [RegExp, string])[] = [
  [/^Alert/, 'alerts'],
  [/^(?:Campaign|AppReport|DoNotOriginate)/, 'campaigns'],
  [/^(?:Demand|Production)/, 'demands'],
  [/^(?:Evidence|SharedEvidence|LogCheckpoint|SignedReceipt|VerdictEvidence)/, 'evidence'],
  [/^(?:FccNotice|Notice)/, 'notices'],
  [/^(?:Provider|ContactDetails)/, 'providers'],
  [/^(?:Record|SharedRecord)/, 'records'],
  [/^(?:Traceback|Request|Answer|StatedTime)/, 'tracebacks'],
  [/^(?:Webhook|CreatedWebhook|RotatedWebhook|PlatformEvent|PlatformFault)/, 'webhooks'],
  [/^(?:Token|Problem)/, 'access'],
];

function resourceOf(place: string): string {
  const name = RESOURCES.find(([begins]) => begins.test(place))?.[1];
  if (name === undefined) throw new TypeError(`${place} is of no resource in test/house/contract.ts`);
  return name;
}

/**
 * What redocly's recommended rules find wrong with an OpenAPI document; warnings count.
 * @param document - plain JSON
 */
export async function lintOpenApi(document: unknown): Promise<readonly string[]> {
  const config = await createConfig({ extends: ['recommended'], rules: SWITCHED_OFF });
  const found = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config });
  return found.map(
    ({ ruleId, message, location }) => `openapi: ${location[0]?.pointer ?? '#/'}: ${message} (${ruleId})`,
  );
}

/**
 * Where an AsyncAPI document is not as version 3.0 of the specification has it.
 * @param document - plain JSON
 * @see https://github.com/asyncapi/spec-json-schemas
 */
export function validateAsyncApi(document: unknown): readonly string[] {
  // The schema names formats that ajv alone does not know, and brings the one of draft 07 along under its own id.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, validateSchema: false, meta: false });
  const validate = ajv.compile(asyncApiSpecs.schemas['3.0.0'] as AnySchema);
  if (validate(document)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = '' }) => `asyncapi: #${instancePath}: ${message}`);
}

async function formatted(path: string, text: string): Promise<string> {
  const options = await prettier.resolveConfig(`${ROOT}${path}`);
  return prettier.format(text, { ...options, filepath: path });
}
