import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { describePeer, testPeer } from '../peers.js';
import { sampleRun } from '../support/run-sample.js';
import { complaintsOf, launchChromium, seriousFindings } from './chromium-page.js';
import { createTemporaryDirectory } from './temporary-directory.js';
import { dissect } from './tshark.js';

// The folder of a run as others see it: its report in Chromium, its captures in tshark.

const directory = await createTemporaryDirectory();
afterAll(directory.close);
const folder = directory.at('run');
await sampleRun({ folder, pcap: 'all' });

describePeer('chromium', 'the report of a run in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  }, 60_000);
  afterAll(() => browser?.close());

  async function opened(settings: Parameters<Browser['newContext']>[0] = {}) {
    const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, offline: true, ...settings });
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    const fetched: string[] = [];
    page.on('request', (request) => void fetched.push(request.url()));
    await page.goto(pathToFileURL(join(folder, 'report.html')).href);
    return { page, complaints, fetched };
  }

  const openAll = (page: Page): Promise<void> =>
    page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`);

  testPeer(
    'chromium',
    'fetches nothing, complains of nothing, and axe finds nothing serious, light or dark',
    async () => {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page, complaints, fetched } = await opened({ colorScheme });
        await openAll(page);
        expect(await seriousFindings(page)).toEqual([]);
        expect(complaints).toEqual([]);
        expect(fetched).toHaveLength(1);
        expect(await page.textContent('.verdict')).toContain('✕ Failed');
        await page.context().close();
      }
    },
  );

  testPeer(
    'chromium',
    'is whole without scripts, and on a narrow screen nothing but drawings and tables is scrolled',
    async () => {
      const { page } = await opened({ javaScriptEnabled: false, viewport: { width: 360, height: 700 } });
      expect(await page.locator('.filters:visible').count()).toBe(0);
      expect(await page.locator('details.call').count()).toBeGreaterThan(5);
      expect(await page.locator('table.trace').count()).toBe(3);
      await page.context().close();
      const narrow = await opened({ viewport: { width: 360, height: 700 } });
      await openAll(narrow.page);
      expect(await narrow.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      await narrow.page.context().close();
    },
  );

  testPeer(
    'chromium',
    'is searched and opened by keyboard: a finding leads to its call, and a message to its text',
    async () => {
      const { page } = await opened();
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
      await page.focus('[data-rows="details.call"] input');
      await page.keyboard.type('office');
      expect(await page.textContent('[data-rows="details.call"] output')).toMatch(/^[1-9] of \d+ shown$/);
      await page.fill('[data-rows="details.call"] input', '');
      await page.focus('tr.finding a');
      await page.keyboard.press('Enter');
      await page.waitForSelector('details.call[open]');
      await page.focus('details.call[open] svg a');
      await page.keyboard.press('Enter');
      await page.waitForSelector('details.call[open] details[open] pre');
      await page.context().close();
    },
  );

  testPeer('chromium', 'prints every ladder', async () => {
    const { page } = await opened();
    await page.evaluate(`window.dispatchEvent(new Event('beforeprint'))`);
    expect(await page.locator('details.call:not([open])').count()).toBe(0);
    expect((await page.pdf()).length).toBeGreaterThan(20_000);
    await page.context().close();
  });
});

describePeer('tshark', 'the captures of a run in tshark', () => {
  testPeer('tshark', 'open clean: every message, and nothing malformed', async () => {
    const files = (await readdir(join(folder, 'pcap'))).toSorted();
    expect(files).toEqual(['alder.pcap', 'birch.pcap', 'dune.pcap', 'elm.pcap', 'fern.pcap']);
    for (const [name, calls] of [
      ['alder', 40],
      ['birch', 40],
      ['dune', 20],
      ['elm', 20],
      ['fern', 20],
    ] as const) {
      const capture = await readFile(join(folder, 'pcap', `${name}.pcap`));
      const packets = await dissect(capture, { ports: [5_059, 5_060, 5_061, 5_062, 5_063, 5_064] });
      // Six messages on each side of each call.
      expect(packets).toHaveLength(calls * 12);
      expect(packets.filter(({ sip }) => sip.method === 'INVITE')).toHaveLength(calls * 2);
      expect(new Set(packets.flatMap(({ checksums }) => checksums))).toEqual(new Set(['1']));
      const grave = packets
        .flatMap(({ remarks }) => remarks)
        .filter(({ severity }) => severity === 'malformed' || severity === 'error');
      expect(grave).toEqual([]);
    }
  });
});
