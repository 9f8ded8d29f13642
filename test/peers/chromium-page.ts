import axe from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { peer } from '../peers.js';

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: peer('chromium').path, args: ['--no-sandbox'] });

/** What axe finds that keeps somebody out. It is brought in from outside, past the policy of the page. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Keeps what a page complains of on its console: errors and warnings, or all that it says. */
export function complaintsOf(page: Page, isHeard: (type: string) => boolean = () => true): readonly string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (isHeard(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}
