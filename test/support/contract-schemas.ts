import type { WireBodyName } from '../../sdk/src/contract/bodies.js';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openApiDocument } from '../../sdk/src/platform/index.js';

/** A JSON Schema as it stands in the OpenAPI document. */
export type ContractSchema = Readonly<Record<string, unknown>>;

/** The schemas of the OpenAPI document by name. */
export function contractSchemas(): Readonly<Record<string, ContractSchema>> {
  const { components } = openApiDocument() as { components: { schemas: Readonly<Record<string, ContractSchema>> } };
  return components.schemas;
}

/** What somebody without our code makes of the OpenAPI document: a validator for each of its schemas. */
export function contractValidators(): (name: WireBodyName) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false });
  // CommonJS: under NodeNext the function is the default of the default.
  (addFormats as unknown as { default: (of: Ajv2020) => void }).default(ajv);
  ajv.addSchema({ $id: 'https://itg.example/openapi.json', components: { schemas: contractSchemas() } });
  const made = new Map<WireBodyName, ValidateFunction>();
  return (name) => {
    const validate =
      made.get(name) ?? ajv.compile({ $ref: `https://itg.example/openapi.json#/components/schemas/${name}` });
    made.set(name, validate);
    return validate;
  };
}
