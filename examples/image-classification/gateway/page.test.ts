import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { assetPath } from '../assets.js';
import { startTestModelServer } from '../model-server/testing.js';
import type { ModelServer } from '../model-server/build.js';
import { startTestGateway } from './testing.js';

const CHROMIUM = '/usr/bin/chromium';
const samples = assetPath(import.meta.url, 'samples');
let model: ModelServer;
let gateway: Awaited<ReturnType<typeof startTestGateway>>;
let browser: Browser;
let page: Page;
const problems: string[] = [];
const origins = new Set<string>();

before(async () => {
  model = await startTestModelServer({ podName: 'model-3' });
  gateway = await startTestGateway(model.grpcPort, { podName: 'gateway-5' });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  page = await browser.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('request', (request) => request.url().startsWith('http') && origins.add(new URL(request.url()).origin));
  await page.goto(gateway.url);
  await page.waitForSelector('#samples li:nth-child(40)');
});
after(async () => {
  await browser.close();
  await gateway.stop();
  await model.stop();
});

function text(selector: string): Promise<string | null> {
  return page.locator(selector).textContent();
}

test('a chosen file is shown with its class, bars that move, pods and latency', async () => {
  assert.equal(await page.locator('#preview').isVisible(), false);
  await page.setInputFiles('#file', join(samples, 'pants-2.jpg'));
  await page.locator('#prediction', { hasText: 'pants' }).waitFor();
  assert.equal(await page.locator('#preview').isVisible(), true);
  assert.equal(await page.locator('#drop-hint').isVisible(), false);
  assert.equal(await page.locator('#bars li').count(), 10);
  assert.match((await text('#bars li.best')) ?? '', /^pants\d+\.\d %$/);
  // The page's own world is described in strings: this project is compiled without the browser's types.
  const grown =
    "(async () => { const bar = document.querySelector('#bars li.best .bar'); await Promise.all(bar.getAnimations().map((animation) => animation.finished)); return bar.getBoundingClientRect().width / bar.parentElement.getBoundingClientRect().width; })()";
  await page.waitForFunction(`${grown}.then((share) => share > 0.5)`);
  assert.equal(await text('#gateway'), 'gateway-5');
  assert.equal(await text('#model-server'), 'model-3');
  assert.match((await text('#latency')) ?? '', /^\d+ ms, model server [\d.]+ ms$/);
});

test('a dropped file is classified', async () => {
  const picture = await page.evaluateHandle(`(async () => {
    const bytes = await (await fetch('/samples/shoes-1.jpg')).blob();
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], 'shoes.jpg', { type: 'image/jpeg' }));
    return transfer;
  })()`);
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: picture });
  await page.locator('#prediction', { hasText: 'shoes' }).waitFor();
});

test('a sample gets a verdict, and the pods are counted', async () => {
  await page.click('#samples li:nth-child(1) button');
  await page.locator('#samples li:nth-child(1) .verdict', { hasText: 'dress' }).waitFor();
  assert.equal(await page.getAttribute('#samples li:nth-child(1) button', 'aria-pressed'), 'true');
  assert.match((await text('#pods')) ?? '', /gateway-53.*model-33/);
});

test('a refusal is told in the words of the gateway', async () => {
  assert.deepEqual(problems, [], 'until here nothing went wrong');
  await page.fill('#url', 'http://127.0.0.1/x.jpg');
  await page.click('#url-form button');
  await page.locator('#error', { hasText: 'not on the public Internet' }).waitFor();
  assert.equal(await text('#prediction'), 'No prediction');
  assert.deepEqual([...origins], [gateway.url], 'nothing comes from elsewhere');
});

test('nothing is wider than a phone, and every control has a name', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok(((await page.evaluate('document.documentElement.scrollWidth')) as number) <= 360);
  const unnamed = await page.evaluate(`[...document.querySelectorAll('button, input, img:not([hidden])')]
    .filter((node) => !(node.textContent.trim() || node.alt || node.title || node.labels?.length || node.querySelector?.('img[alt]')))
    .map((node) => node.outerHTML)`);
  assert.deepEqual(unnamed, []);
});
