import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { guideBlocks } from '../../house/guide-blocks.js';
import { guidePaths } from '../../house/guides.js';
import { ROOT } from '../../house/run.js';

// test/faults/guides.test.ts runs the blocks.

test.each(await guidePaths())('every block of commands in %s can be run, or says why not', async (path) => {
  expect(guideBlocks(path, await readFile(`${ROOT}${path}`, 'utf8')).problems).toEqual([]);
});

const guide = (comment: string, language = 'sh'): string =>
  `# Guide\n\n${comment}\n\n\`\`\`${language}\nhopback help\n\`\`\`\n`;

test.each([
  ['', { kind: 'run', exits: [0] }],
  ['<!-- block: exits 1 3 -->', { kind: 'run', exits: [1, 3] }],
  ['<!-- block: background until it listens -->', { kind: 'background', until: 'it listens' }],
  ['<!-- block: file a.yaml -->', { kind: 'file', name: 'a.yaml' }],
  ['<!-- block: printed by the commands above -->', { kind: 'printed' }],
  ['<!-- block: skip it needs a switch of yours -->', { kind: 'skip', reason: 'it needs a switch of yours' }],
])('a block after %j', (comment, use) => {
  expect(guideBlocks('a.md', guide(comment))).toEqual({
    blocks: [{ line: 5, text: 'hopback help', use }],
    problems: [],
  });
});

test.each([
  ['a skip without a reason', guide('<!-- block: skip -->')],
  ['a skip whose reason says nothing', guide('<!-- block: skip no time -->')],
  ['a word that is not known', guide('<!-- block: sometimes it works -->')],
  ['a file outside the folder', guide('<!-- block: file ../a.yaml -->')],
  ['commands in a block of text', guide('', 'text')],
])('finds %s', (_what, text) => {
  expect(guideBlocks('a.md', text).problems).toEqual([expect.stringMatching(/^a\.md:5: /)]);
});

test('a comment is for the block right behind it', () => {
  const text = `<!-- block: exits 1 -->\n\nIn between.\n\n${guide('')}`;
  expect(guideBlocks('a.md', text).blocks.map(({ use }) => use)).toEqual([{ kind: 'run', exits: [0] }]);
});
