import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadLinks, rawPages } from '../../house/reference-links.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hopback-reference-'));
  await put('index.html', '<h2 id="a b"></h2><p id="there"></p>');
  await put('documents/guides/cli.html', '<h2 id="exit-codes"></h2>');
  await put('assets/icons.svg', '');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
}

test.each([
  ['another page', 'documents/page.html', '<a href="guides/cli.html">'],
  ['a place on it', 'documents/page.html', '<a href="guides/cli.html#exit-codes">'],
  ['a place on the same page', 'documents/page.html', '<p id="x"><a href="#x">'],
  ['an encoded place', 'documents/page.html', '<a href="../index.html#a%20b">'],
  ['an icon', 'documents/page.html', '<use href="../assets/icons.svg#icon-menu">'],
  ['another site', 'documents/page.html', '<a href="https://a.example/b"><a href="mailto:a@b">'],
  ['a page, from Markdown', 'media/page.md', 'See [this](../index.html) and [that](https://a.example).'],
  ['nothing, as code', 'media/page.md', 'Write `[a](b)`.\n\n```md\n[a](b)\n```\n'],
])('a link to %s is not dead', async (_what, name, text) => {
  await put(name, text);
  expect(await deadLinks(folder)).toEqual([]);
  await rm(join(folder, name));
});

test.each([
  ['a page that there is not', 'documents/page.html', '<a href="guides/none.html">', 'guides/none.html'],
  ['a place that there is not', 'documents/page.html', '<a href="guides/cli.html#no">', 'guides/cli.html#no'],
  ['a file outside', 'documents/page.html', '<a href="../../README.md">', '../../README.md'],
  ['an image that there is not', 'documents/page.html', '<img src="none.png">', 'none.png'],
  ['a file that was not copied, from Markdown', 'media/page.md', '[0001](0001-node.md)', '0001-node.md'],
])('a link to %s is dead', async (_what, name, text, link) => {
  await put(name, text);
  expect(await deadLinks(folder)).toEqual([`${name}: ${link}`]);
  await rm(join(folder, name));
});

test('a guide that was copied as Markdown is no page of the reference, a report of the interface need not be one', async () => {
  await put('media/guide.md', '# Guide');
  await put('media/sdk.stir.api.md', '# Report');
  expect(await rawPages(folder)).toEqual(['media/guide.md']);
});
