import { readFile, writeFile } from 'node:fs/promises';
import type { MatrixColumn } from '@hopback/harness/conformance';
import { format } from 'prettier';
import { expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import { openConformanceLab } from '../support/conformance-lab.js';
import { runColumn, type ColumnDefinition } from './conformance/column.js';
import { kamailioColumn } from './conformance/kamailio-column.js';
import { MATRIX_PAGE, matrixPage } from './conformance/matrix-page.js';
import { OUR_COLUMNS } from './conformance/our-columns.js';
import { secsipidxColumn } from './conformance/secsipidx-column.js';

/** Six services, of which one is asked call by call, and lets four of them wait for five seconds. */
const ALL_COLUMNS_MS = 300_000;
/** `npm run matrix` writes the page anew. */
const WRITES = process.env['HOPBACK_WRITE_MATRIX'] === '1';

/** On another machine the peers may be of another version; what they did is held against the page all the same. */
const withoutVersions = (page: string): string => page.replaceAll(/(?<=secsipidx |Kamailio )\d+(?:\.\d+)+/g, 'N');

async function inHouseStyle(columns: readonly MatrixColumn[]): Promise<string> {
  return format(matrixPage(columns), { parser: 'markdown', printWidth: 120, singleQuote: true });
}

/** One after the other, each in a laboratory of its own. */
async function columnsOf(definitions: readonly ColumnDefinition[]): Promise<readonly MatrixColumn[]> {
  const columns: MatrixColumn[] = [];
  for (const definition of definitions) {
    await using lab = await openConformanceLab();
    const column = await runColumn(definition, lab);
    if (definition.isOurs) expect(column.run.results.filter(({ status }) => status === 'fail')).toEqual([]);
    columns.push(column);
  }
  return columns;
}

describePeer(['secsipidx', 'kamailio'], 'the conformance matrix', () => {
  test(
    'has our columns all green, and is what these services do now',
    async () => {
      // Kamailio takes its time beside the others: it is asked call by call, and waits more than it works.
      const lanes = [[...OUR_COLUMNS, secsipidxColumn()], [kamailioColumn()]];
      const columns = (await Promise.all(lanes.map(columnsOf))).flat();
      const page = await inHouseStyle(columns);
      if (WRITES) await writeFile(MATRIX_PAGE, page);
      expect(withoutVersions(await readFile(MATRIX_PAGE, 'utf8'))).toBe(withoutVersions(page));
    },
    ALL_COLUMNS_MS,
  );
});
