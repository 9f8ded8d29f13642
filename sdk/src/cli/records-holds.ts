import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { auditLine, holdLines } from './hold-lines.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { printJson, printLines } from './output.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from './store-options.js';
import type { StoreOption } from './store-options.js';

type HoldsOption = StoreOption | 'audit';

const OPTIONS: OptionSpecs<HoldsOption> = {
  ...STORE_OPTIONS,
  audit: { text: 'every hold, release and end of a hold since the store was made, in place of those in force' },
};

/** `hopback records holds` */
export const recordsHoldsCommand: Command = {
  name: 'records holds',
  summary: 'list the holds in force, or all that was done about holds',
  usage: ['--store DIR [--audit]'],
  options: OPTIONS,
  notes: [STORE_NOTE, 'Exit codes: 0 listed, also where there are none; 2 not understood; 4 the store is not usable.'],
  run,
};

async function run(options: Options<HoldsOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  await using store = await openExistingStore(options, io);
  if (options.isOn('audit')) {
    const audit = await store.holdAudit();
    if (options.isOn('json')) printJson(io, { format: 'hopback.records-hold-audit.1', exitCode: EXIT.ok, audit });
    else printLines(io, audit.length === 0 ? ['nothing was ever held'] : audit.map(auditLine));
    return EXIT.ok;
  }
  const holds = await store.holds();
  if (options.isOn('json')) printJson(io, { format: 'hopback.records-holds.1', exitCode: EXIT.ok, holds });
  else printLines(io, holds.length === 0 ? ['no hold is in force'] : holds.flatMap(holdLines));
  return EXIT.ok;
}
