import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { describePeer, testPeer } from '../peers.js';
import { answerIn } from '../support/responder-lab.js';
import { createReviewLab, NAME, PASSWORD, type ReviewLab } from '../support/review-lab.js';
import { FIRST_ID } from '../support/traceback-cases.js';
import { complaintsOf, launchChromium, seriousFindings } from './chromium-page.js';

// The review page as somebody uses it: in Chromium, by keyboard alone. HOPBACK_SCREENSHOTS=1 takes the picture of docs anew.

const PICTURE = fileURLToPath(new URL('../../docs/images/sidecar-review.png', import.meta.url));

describePeer('chromium', 'the review page in Chromium', () => {
  let browser: Browser;
  let lab: ReviewLab;
  let url = '';
  let close: () => Promise<void>;
  beforeAll(async () => {
    // On loopback, as behind a tunnel: there is no TLS.
    lab = await createReviewLab({ isSecure: false });
    const server = serve({ fetch: lab.app.fetch, hostname: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/review`;
    close = async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await close?.();
    await lab?.responder.close();
  });

  /** Presses Tab until what has the focus fits, as somebody without a mouse does. */
  async function tabTo(page: Page, selector: string): Promise<void> {
    for (let steps = 0; steps < 100; steps += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)})`)) return;
    }
    throw new Error(`no Tab leads to ${selector}`);
  }

  async function opened(): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const page = await (await browser.newContext({ viewport: { width: 1_200, height: 900 } })).newPage();
    return { page, complaints: complaintsOf(page, (type) => type === 'error' || type === 'warning') };
  }

  async function logIn(page: Page): Promise<void> {
    await page.goto(url);
    await tabTo(page, 'input[name=name]');
    await page.keyboard.type(NAME);
    await tabTo(page, 'input[name=password]');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL(url);
  }

  testPeer(
    'chromium',
    'somebody logs in, chooses a call, and has the answer signed and sent, by keyboard alone; axe finds nothing serious on the way',
    async () => {
      await lab.ask({ requestId: 'r-1' });
      const { page, complaints } = await opened();
      await page.goto(url);
      expect(await seriousFindings(page)).toEqual([]);
      await logIn(page);
      expect(await seriousFindings(page)).toEqual([]);
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
      await page.keyboard.press('Enter');
      expect(await page.evaluate('document.activeElement.id')).toBe('content');
      await tabTo(page, 'a[href$="/requests/r-1"]');
      await page.keyboard.press('Enter');
      await page.waitForURL(/requests/);
      expect(await seriousFindings(page)).toEqual([]);
      await tabTo(page, 'input[name=arm]');
      await page.keyboard.press('Space');
      await tabTo(page, 'button:not(.quiet)');
      await page.keyboard.press('Enter');
      await page.waitForSelector('[role=alert]');
      expect(await page.textContent('[role=alert]')).toContain('say which call it was');
      expect(await seriousFindings(page)).toEqual([]);
      await tabTo(page, 'input[name=candidate]');
      await page.keyboard.press('ArrowDown');
      expect(await page.inputValue('input[name=candidate]:checked')).toBe(FIRST_ID);
      await tabTo(page, 'button:not(.quiet)');
      await page.keyboard.press('Enter');
      await page.waitForSelector('text=Sign this answer?');
      expect(await page.textContent('.note')).toContain('received from Example Carrier Corp');
      expect(await seriousFindings(page)).toEqual([]);
      await tabTo(page, 'button[value=send]');
      await page.keyboard.press('Enter');
      await page.waitForSelector('[role=status]');
      await lab.responder.settled();
      expect([...lab.desk.taken.values()].map(({ jws }) => answerIn(jws).answeredBy)).toEqual([
        { kind: 'person', name: NAME },
      ]);
      // The status of a form that has to be looked at again is told as an error, and nothing else is.
      expect(complaints.filter((text) => !text.includes('422'))).toEqual([]);
    },
    { timeout: 60_000 },
  );

  testPeer(
    'chromium',
    'deadlines are told apart in black and white, a narrow window needs no sideways scrolling, and another site gets no cookie',
    async () => {
      await lab.ask({ requestId: 'r-2' });
      const { page } = await opened();
      await logIn(page);
      const mark = page.locator('tr', { hasText: 'r-2' }).locator('.deadline');
      expect(await mark.textContent()).toMatch(/^due in /);
      await page.setViewportSize({ width: 320, height: 640 });
      await page.goto(`${url}/requests/r-2`);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
      const [cookie] = await page.context().cookies();
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/review' });
      if (process.env['HOPBACK_SCREENSHOTS'] !== '1') return;
      await page.setViewportSize({ width: 1_200, height: 1_400 });
      await page.screenshot({ path: PICTURE });
    },
    { timeout: 60_000 },
  );
});
