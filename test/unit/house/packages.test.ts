import { expect, test } from 'vitest';
import { strayFiles } from '../../house/packages.js';

test('sources, what they compile to and the three files of npm belong in a package', () => {
  const paths = ['LICENSE', 'README.md', 'package.json', 'src/index.ts', 'dist/index.js', 'dist/index.d.ts.map'];
  expect(strayFiles('sdk', paths)).toEqual([]);
});

test.each(['src/core/notes.txt', 'dist/.tsbuildinfo', 'dist/data.json', 'test/a.ts'])('%s does not', (path) => {
  expect(strayFiles('sdk', [path])).toEqual([`sdk/${path} does not belong in the package`]);
});

test('what has no source any more is found', () => {
  expect(strayFiles('sdk', ['dist/gone.js'])).toEqual([expect.stringContaining('no source')]);
});
