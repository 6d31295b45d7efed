/**
 * The inspector's pages in headless Chromium: what a person sees, and what the Stately viewer would be
 * handed. Steps come from real machines; the viewer is a strict stand-in on another port.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { ALL_MACHINES } from '../../../machines/all-machines.js';
import { type Address, addressOf } from '../../../machines/model/ids.js';
import type { Json } from '../../../machines/model/json.js';
import { type InspectorServer, serveInspector } from '../../../src/adapters/inspector/server.js';
import { systemClock } from '../../../src/adapters/system/clock.js';
import type { TapFrame } from '../../../src/runtime/kernel.js';
import { type Chromium, type Page, startChromium } from '../../support/chromium.js';
import { rememberingLog } from '../../support/quiet.js';

const GROUP = addressOf('group', 'acme/web');
const INSTANCE = addressOf('instance', 'i-1');
const CREATING = { active: { creates: 'open', resync: 'waiting' } };
const BACKING_OFF = { active: { creates: 'backingOff', resync: 'waiting' } };

let chromium: Chromium;
let viewer: Server;
let viewerUrl: string;
let server: InspectorServer;
let page: Page;
let steps: TapFrame[];

before(async () => {
  chromium = await startChromium();
  viewer = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(request.url === '/silent' ? '' : STRICT_VIEWER);
  });
  await new Promise<void>((resolve) => void viewer.listen(0, '127.0.0.1', resolve));
  viewerUrl = `http://127.0.0.1:${(viewer.address() as AddressInfo).port}/inspect`;
});
after(async () => {
  await chromium?.close();
  viewer?.closeAllConnections();
  viewer?.close();
});

beforeEach(async () => {
  steps = [];
  server = await serve('127.0.0.1:0', viewerUrl);
});
afterEach(async () => {
  const { complaints = [], requests = [] } = page ?? {};
  await page?.close();
  await server.close();
  // A connection that was refused while the daemon was away is no complaint of ours.
  const real = complaints.filter((text) => !text.includes('ERR_CONNECTION_REFUSED'));
  assert.deepEqual(real, [], '[CL-59] the page complains of nothing');
  const away = requests.filter((url) => !/^(https?|ws):\/\/127\.0\.0\.1:|^data:/.test(url));
  assert.deepEqual(away, [], '[CL-59] nobody but this host is asked');
});

async function serve(listen: string, url: string): Promise<InspectorServer> {
  const served = await serveInspector({
    listen,
    node: 'edge-1',
    filter: { kinds: [], ids: [], ratePerSecond: 1_000 },
    clock: systemClock(),
    log: rememberingLog(),
    machines: new Map(ALL_MACHINES.map(({ name, machine }) => [name, machine])),
    secrets: () => [],
    read: async () => [
      { thread: 'shard-1', answer: { frames: steps.splice(0) } as unknown as Json },
    ],
    limits: { readEveryMs: 5 },
    viewerUrl: url,
  });
  assert.ok(served.ok, served.ok ? '' : served.failure);
  return served.value;
}

function step(address: Address, value: Json, change: Partial<TapFrame> = {}): void {
  const machineId = address.slice(0, address.indexOf('/'));
  const event = { type: 'activated', meta: { from: GROUP, at: 1_772_366_400_250 } };
  const context = { spec: { key: 'acme/web' }, size: 3 };
  steps.push({ address, machineId, event, value, context, status: 'active', ...change });
}

const open = async (path = '/'): Promise<Page> => {
  page = await chromium.open(`http://${server.address}${path}`);
  return page;
};

const LIT = `[...document.querySelectorAll('.box.lit')].map((box) => box.dataset.path).sort().join()`;
const EVENTS = `document.querySelectorAll('#events li').length`;
const ACTORS = `document.querySelectorAll('#actors .actor').length`;
const litIs = (...paths: readonly string[]) => `${LIT} === '${['', ...paths].sort().join()}'`;

test('[CL-58] a parallel machine that moves: every active state is lit, its events are listed', async () => {
  await open();
  step(GROUP, CREATING);
  const regions = ['active', 'active.creates', 'active.resync', 'active.resync.waiting'];
  await page.until(litIs(...regions, 'active.creates.open'));
  const failed = { type: 'instance.changed', meta: { from: INSTANCE } };
  step(GROUP, BACKING_OFF, { event: failed });
  await page.until(litIs(...regions, 'active.creates.backingOff'));
  await page.until(`${EVENTS} === 2`);
  const newest = await page.evaluate<string>(`document.querySelector('#events li').innerText`);
  assert.match(
    newest,
    /\d\d:\d\d:\d\d\.\d{3}[\s\S]*instance\.changed[\s\S]*instance\/i-1[\s\S]*backingOff/,
  );
  const just = `document.querySelector('.row.just')?.textContent ?? ''`;
  assert.match(await page.evaluate<string>(just), /tellsOfFailure/);
  await page.until(`document.querySelector('.route.just')`);
  assert.match(
    await page.evaluate<string>(`document.getElementById('memory').innerText`),
    /size: 3/,
  );
});

test('[CL-58] a late viewer, and an instance below its group: chosen by keys, nested states lit', async () => {
  await open();
  step(GROUP, CREATING);
  step(INSTANCE, { alive: { arriving: 'booting' } });
  await page.until(`${ACTORS} === 2`);
  const early = page;
  await open();
  await page.until(`document.querySelector('#actors .child')`);
  await page.evaluate(`document.getElementById('actors').focus()`);
  await page.press('ArrowDown');
  await page.until(litIs('alive', 'alive.arriving', 'alive.arriving.booting'));
  await page.evaluate('location.reload()');
  await page.until(
    `document.getElementById('title').textContent === 'instance/i-1' && ${litIs('alive', 'alive.arriving', 'alive.arriving.booting')}`,
  );
  await page.press('/');
  await page.send('Input.insertText', { text: 'group unfound' });
  await page.until(`${ACTORS} === 0`);
  await page.press('Escape');
  await page.until(`${ACTORS} === 2`);
  await early.close();
});

/** Whether all of an element's text can be seen. */
const IS_WHOLE = `(part) => part.scrollWidth <= part.clientWidth`;

test('[CL-58] a narrow window: long ids are told apart by their ends, nothing is cut off or scrolls', async () => {
  await open();
  const ids = [
    'i-edd3-01a2255e5191743e8acb667b850d802800',
    'i-edd3-01a2255e5191743e8acb667b850d802900',
  ];
  step(GROUP, CREATING);
  for (const id of ids) step(addressOf('instance', id), 'drained');
  step(addressOf('outbox', 'main'), 'idle');
  await page.until(`${ACTORS} === 4`);
  for (const [width, height] of [
    [1_600, 1_000],
    [1_000, 700],
    [800, 600],
  ]) {
    await page.send('Emulation.setDeviceMetricsOverride', {
      ...{ width, height, deviceScaleFactor: 1, mobile: false },
    });
    const ends = `[...document.querySelectorAll('#actors .end')]`;
    const told = await page.evaluate<readonly string[]>(`${ends}.map((end) => end.textContent)`);
    assert.deepEqual(told, ['acme/web', '0d802800', '0d802900', 'outbox']);
    const whole = `${ends}.every(${IS_WHOLE}) && document.documentElement.scrollWidth <= innerWidth`;
    assert.equal(await page.evaluate(whole), true, `${width} wide`);
    const buttons = `[...document.querySelectorAll('#bar button')].every((button) => {
      const { x, y, width, height } = button.getBoundingClientRect();
      return document.elementFromPoint(x + width / 2, y + height / 2) === button;
    })`;
    assert.equal(await page.evaluate(buttons), true, `${width} wide: every button can be met`);
  }
});

test('[CL-58] a crash: is marked, explained, and over with the next step', async () => {
  await open();
  const event = { type: 'crashed', error: '<b>no such</b> member', message: 'instance.changed' };
  step(GROUP, CREATING);
  step(GROUP, CREATING, { event, status: 'error' });
  await page.until(`document.querySelector('svg.crashed')`);
  assert.equal(
    await page.evaluate(`document.getElementById('crash').innerText`),
    'crashed on instance.changed: <b>no such</b> member',
  );
  await page.until(`document.querySelector('#actors .crashed')`);
  step(GROUP, CREATING);
  await page.until(`document.getElementById('crash').hidden`);
  assert.equal(await page.evaluate(`document.querySelectorAll('.crashed .box').length`), 0);
});

test('[CL-59] a daemon that was away: is found again, and what was chosen is still chosen', async () => {
  await open();
  step(GROUP, CREATING);
  step(INSTANCE, 'drained');
  await page.until(`${ACTORS} === 2`);
  await page.evaluate(`document.querySelector('#actors .child').click()`);
  await page.until(litIs('drained'));
  const { address } = server;
  await server.close();
  await page.until(`document.getElementById('link').textContent.includes('trying again')`);
  server = await serve(address, viewerUrl);
  step(GROUP, CREATING);
  step(INSTANCE, 'lost');
  await page.until(`document.getElementById('link').textContent === 'live' && ${litIs('lost')}`);
});

test('[CL-60] the bridge: hands a strict viewer the three frames and nothing else', async () => {
  await open('/stately');
  step(GROUP, CREATING);
  step(INSTANCE, 'drained');
  const seen = `document.getElementById('viewer').contentWindow`;
  await page.until(seen);
  await page.until(`document.getElementById('link').textContent === 'live'`);
  const frames = await heard(page, 6);
  assert.deepEqual(frames.refused, []);
  assert.deepEqual([...new Set(frames.types)].sort(), [
    '@xstate.actor',
    '@xstate.event',
    '@xstate.snapshot',
  ]);
});

test('[CL-60] a viewer that does not answer: the own page takes over and says so', async () => {
  await server.close();
  server = await serve('127.0.0.1:0', viewerUrl.replace('inspect', 'silent'));
  await open('/stately');
  step(GROUP, CREATING);
  await page.until(`location.search === '?alone' && ${ACTORS} === 1`);
  assert.match(
    await page.evaluate(`document.getElementById('notice').innerText`),
    /did not answer/,
  );
});

interface Heard {
  readonly types: readonly string[];
  readonly refused: readonly string[];
}

/** The stand-in is of another origin: it tells its embedder what it took and refused, on request. */
async function heard(on: Page, atLeast: number): Promise<Heard> {
  await on.evaluate(
    `addEventListener('message', ({ data }) => { if (data.heard) window.heard = data.heard; })`,
  );
  await on.until(
    `(document.getElementById('viewer').contentWindow.postMessage({ tell: true }, '*'), window.heard?.types.length >= ${atLeast})`,
  );
  return on.evaluate<Heard>('window.heard');
}

/** Refuses whatever is not exactly a frame of protocol 0.7.2. */
const STRICT_VIEWER = `<!doctype html><script>
const text = (value) => typeof value === 'string';
const json = (value) => { try { return text(value) && typeof JSON.parse(value) === 'object'; } catch { return false; } };
const snapshot = (value) => typeof value === 'object' && ['active', 'error'].includes(value.status)
  && ['children', 'context', 'historyValue', 'status', 'tags', 'value'].join() === Object.keys(value).sort().join();
const event = (value) => text(value?.type) && !('meta' in value);
const common = { type: text, sessionId: text, rootId: text, createdAt: (value) => /^\\d{13}$/.test(value), _version: (value) => value === '0.7.2' };
const nil = (value) => value === null;
const SHAPES = {
  '@xstate.actor': { must: { ...common, name: text, definition: json, snapshot, id: nil }, may: { parentId: text } },
  '@xstate.event': { must: { ...common, event, id: text }, may: { sourceId: text } },
  '@xstate.snapshot': { must: { ...common, event, snapshot, id: nil }, may: {} },
};
const heard = { types: [], refused: [] };
addEventListener('message', ({ data }) => {
  if (data.tell) return parent.postMessage({ heard }, '*');
  const shape = SHAPES[data.type];
  const all = { ...shape?.must, ...shape?.may };
  const isWhole = shape !== undefined && Object.entries(shape.must).every(([key, check]) => key in data && check(data[key]));
  const isPure = Object.keys(data).every((key) => all[key]?.(data[key]));
  if (!isWhole || !isPure) heard.refused.push(JSON.stringify(data));
  heard.types.push(data.type);
});
parent.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;
