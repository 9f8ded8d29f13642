import { expect, test } from 'vitest';
import { storageFailed } from '../../sdk/src/records/store/duckdb/duckdb-module.js';

test.each([
  [
    'IO Error: Could not write file "/store/days/1.duckdb": No space left on device',
    ': No space left on device (ENOSPC)',
  ],
  ['IO Error: Cannot open file "/store/state.duckdb": Permission denied', ': Permission denied (EACCES)'],
  ['Constraint Error: Duplicate key "called: 12025550100"', ''],
])('a store that fails says what the system said, and nothing else of %s', (message, reason) => {
  const cause = new Error(message);
  expect(storageFailed('take records', cause, '/store')).toMatchObject({
    ...{ code: 'storage-failed', message: `the record store /store could not take records${reason}`, cause },
  });
});
