/* What axe-core finds in what is shown: serious and critical findings, without those of the rules `except`. */
import { readFileSync } from 'node:fs';
import { modules } from './modules.mjs';

const source = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');

export async function axeFindings(page, except = []) {
  if (!(await page.evaluate(() => 'axe' in window))) {
    // Evaluated by the browser's debugger, to which the page's policy does not apply.
    await page.evaluate(source);
  }
  const found = await page.evaluate(async (disabled) => {
    const { violations } = await window.axe.run(document, {
      resultTypes: ['violations'],
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      rules: Object.fromEntries(disabled.map((rule) => [rule, { enabled: false }])),
    });
    return violations.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      nodes: nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1]?.trim() ?? ''}`),
    }));
  }, except);
  return found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
}
