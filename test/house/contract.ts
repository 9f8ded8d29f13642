import { readdir, readFile, writeFile } from 'node:fs/promises';
import asyncApiSpecs from '@asyncapi/specs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv, type AnySchema } from 'ajv';
import * as prettier from 'prettier';
import ts from 'typescript';
import { asyncApiDocument } from '../../sdk/src/contract/async-api-document.js';
import { openApiDocument } from '../../sdk/src/contract/open-api-document.js';
import { ROOT } from './run.js';

const FOLDER = 'docs/contract';

/** Rules of redocly's recommended set that are not held to, each with its reason. */
const SWITCHED_OFF: Readonly<Record<string, 'off'>> = {};

/**
 * Compares the documents of the contract and the schema of scenarios with the schemas and tables they are made of, OpenAPI with redocly's
 * recommended rules, AsyncAPI with the schema of its specification, and the docstrings of members with their descriptions.
 * @param options - `update`: write docstrings and documents anew instead of comparing
 */
export async function checkContract(options: { readonly update: boolean }): Promise<readonly string[]> {
  const openApi = openApiDocument();
  const asyncApi = asyncApiDocument();
  // Nothing of the harness can be loaded before the sdk is compiled, and the first stage of the check compiles it.
  const { scenarioJsonSchema } = await import('../../harness/src/scenario/index.js');
  const reference = await referenceOpenApi();
  const files = [
    ...(await describedSources()),
    { path: `${FOLDER}/openapi.json`, text: JSON.stringify(openApi) },
    { path: `${FOLDER}/reference-openapi.json`, text: JSON.stringify(reference) },
    { path: `${FOLDER}/asyncapi.json`, text: JSON.stringify(asyncApi) },
    // No part of the contract, but written of a schema in the same way.
    { path: 'docs/scenario.schema.json', text: JSON.stringify(scenarioJsonSchema()) },
  ];
  const problems: string[] = [];
  for (const file of files) {
    const text = await formatted(file.path, file.text);
    if (options.update) await writeFile(`${ROOT}${file.path}`, text);
    else if ((await readFile(`${ROOT}${file.path}`, 'utf8').catch(() => '')) !== text)
      problems.push(`${file.path} is not what schemas and tables say: npm run contract, and look at the difference`);
  }
  return [...problems, ...(await lintOpenApi(reference)), ...validateAsyncApi(asyncApi)];
}

/** What the reference platform says of itself: the contract, and what operators call beside it. */
export async function referenceOpenApi(): Promise<unknown> {
  const { startReferencePlatform } = await import('../../harness/src/platform/index.js');
  const platform = await startReferencePlatform();
  try {
    return await (await fetch(`${platform.url}/openapi.json`)).json();
  } finally {
    await platform.close();
  }
}

const BODIES = 'sdk/src/contract';
/**
 * Sources of the bodies in which the docstring before each member of a schema says what its description says: OpenAPI shows one, editors the
 * other.
 */
async function describedSources(): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const names = (await readdir(`${ROOT}${BODIES}`)).filter((name) => name.endsWith('.ts'));
  return Promise.all(
    names.map(async (name) => {
      const path = `${BODIES}/${name}`;
      return { path, text: withDocstrings(await readFile(`${ROOT}${path}`, 'utf8')) };
    }),
  );
}

/** The docstrings of members, written anew. */
function withDocstrings(text: string): string {
  const source = ts.createSourceFile('bodies.ts', text, ts.ScriptTarget.Latest, true);
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  const visit = (node: ts.Node): void => {
    const said = ts.isPropertyAssignment(node) ? descriptionOf(node.initializer) : undefined;
    if (said !== undefined) {
      // Also one that stands on the line of the member before.
      const before = text
        .slice(node.pos, node.getStart())
        .replaceAll(/[ \t]*\/\*\*[^]*?\*\/\n?/g, '')
        .trimEnd();
      edits.push({ from: node.pos, to: node.getStart(), text: `${before}\n/** ${said.split('\n')[0]} */\n` });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return edits
    .toSorted((one, other) => other.from - one.from)
    .reduce((before, edit) => `${before.slice(0, edit.from)}${edit.text}${before.slice(edit.to)}`, text);
}

/** The text of `.describe('…')` at the end of an expression, or before what a helper of common.ts describes. */
function descriptionOf(expression: ts.Expression): string | undefined {
  if (!ts.isCallExpression(expression)) return undefined;
  const { expression: called, arguments: given } = expression;
  const isMember = ts.isPropertyAccessExpression(called);
  const [said] = given;
  if (said === undefined || !ts.isStringLiteralLike(said)) return undefined;
  const name = isMember ? called.name.text : called.getText();
  return /^(?:describe|(?:object|listOf|oneOf)|optional(?:Object|ListOf|OneOf))$/.test(name) ? said.text : undefined;
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
