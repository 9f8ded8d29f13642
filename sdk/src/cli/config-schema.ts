import { configurationJsonSchema } from '../sidecar/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import { refuseOperands } from './options.js';
import { printJson } from './output.js';

/** `hopback config schema` */
export const configSchemaCommand: Command = {
  name: 'config schema',
  summary: 'print the JSON Schema of that configuration, for editors',
  usage: [''],
  options: {},
  notes: [
    'Save it beside the configuration, and begin that with: # yaml-language-server: $schema=hopback.schema.json',
    'Exit codes: 0 printed; 2 not understood; 4 it could not be written.',
  ],
  run(options, io) {
    refuseOperands(options, []);
    printJson(io, configurationJsonSchema());
    return Promise.resolve(EXIT.ok);
  },
};
