import { mkdir, readFile, writeFile } from 'node:fs/promises';
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

/** Where the docstrings of the interfaces stand as data. */
const DESCRIPTIONS = 'sdk/src/platform/contract/descriptions.ts';

/**
 * Holds the descriptions against the docstrings, the documents of the contract and the schema of scenarios against what the schemas and tables say, OpenAPI against
 * redocly's recommended rules, AsyncAPI against the schema of its specification.
 * @param options - `update`: write descriptions and documents anew instead of comparing
 */
export async function checkContract(options: { readonly update: boolean }): Promise<readonly string[]> {
  await mkdir(`${ROOT}${FOLDER}`, { recursive: true });
  const descriptions = contractDocstrings(plainComponentSchemas());
  const openApi = makeOpenApiDocument(descriptions);
  const asyncApi = makeAsyncApiDocument(descriptions);
  // Nothing of the harness can be loaded before the sdk is compiled, and the first stage of the check compiles it.
  const { scenarioJsonSchema } = await import('../../harness/src/scenario/index.js');
  const files = [
    { path: DESCRIPTIONS, text: descriptionsSource(descriptions) },
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
  return [...problems, ...(await lintOpenApi(openApi)), ...validateAsyncApi(asyncApi)];
}

function descriptionsSource(descriptions: Readonly<Record<string, string>>): string {
  return [
    '// Written by `npm run contract`: what the docstrings of the interfaces say, by place. Change it there.',
    '',
    '/** What members of bodies mean. */',
    `export const DESCRIPTIONS: Readonly<Record<string, string>> = ${JSON.stringify(descriptions)};`,
  ].join('\n');
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
