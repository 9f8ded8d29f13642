/**
 * `npm run mutants [-- NAME…] [--shorten F] [--jobs N]`: runs shipped scenarios against a product with one defect after the other, and says which scenario noticed.
 * NAME is a part of the name of a mutant: `verify-`. Prints a line for each; exit code 1 where a mutant survives, or a scenario fails without any.
 */
import { parseArgs } from 'node:util';
import { huntMutants } from '../mutants/hunt-mutants.js';
import { MUTANTS } from '../mutants/mutants.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { shorten: { type: 'string', default: '3' }, jobs: { type: 'string', default: '2' } },
});
const mutants = MUTANTS.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
);
if (mutants.length === 0) throw new Error(`no mutant is called ${positionals.join(' or ')}`);

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const { unsound, caught, survived } = await huntMutants({
  ...{ mutants, shorten: Number(values.shorten), jobs: Number(values.jobs), onLine: say },
});
say(`${String(caught.length)} of ${String(mutants.length)} caught`);
if (survived.length > 0) say(`survived: ${survived.join(', ')}`);
if (unsound.length > 0) say(`failed without a defect: ${unsound.join(', ')}`);
process.exitCode = survived.length + unsound.length > 0 ? 1 : 0;
