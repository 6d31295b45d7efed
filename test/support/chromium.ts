/**
 * Headless Chromium for tests, driven over its DevTools protocol: pages opened, looked at, clicked,
 * and everything they complained about or asked the network for.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'] as const;
export const CHROMIUM_MISSING =
  'these tests look at pages in Chromium, which is missing: install it (apt-get install chromium)';

export interface Page {
  /** The value of an expression in the page; promises are waited for. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until the expression is true. */
  until(expression: string): Promise<void>;
  goto(url: string): Promise<void>;
  press(key: string, code?: number): Promise<void>;
  /** A PNG. */
  screenshot(): Promise<Buffer>;
  send(method: string, params?: object): Promise<Readonly<Record<string, unknown>>>;
  /** What went wrong in the page, in words. */
  readonly complaints: readonly string[];
  /** Every address that was asked for. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export interface Chromium {
  open(url: string, size?: { readonly width: number; readonly height: number }): Promise<Page>;
  close(): Promise<void>;
}

export async function startChromium(): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'switchyard-chromium-'));
  const { child, address } = await launch(profile);
  const link = await connectTo(address);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    open: (url, size = { width: 1440, height: 900 }) => openPage(link, url, size),
    close: async () => {
      await link.call('Browser.close', {}).catch(() => child.kill('SIGKILL'));
      link.close();
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

interface Launched {
  readonly child: ChildProcess;
  readonly address: string;
}

async function launch(profile: string): Promise<Launched> {
  for (const name of NAMES) {
    const launched = await tryLaunch(name, profile);
    if (launched !== undefined) return launched;
  }
  throw new Error(CHROMIUM_MISSING);
}

function tryLaunch(name: string, profile: string): Promise<Launched | undefined> {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update'];
  const places = [`--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'];
  const child = spawn(name, [...flags, ...quiet, ...places], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', () => resolve(undefined));
    child.once('exit', (code) => reject(new Error(`${name} ended at once (${code}): ${said}`)));
    child.stderr.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-10_000);
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve({ child, address });
    });
  });
}

type Fields = Readonly<Record<string, unknown>>;
type Listener = (method: string, params: Fields) => void;

interface Link {
  call(method: string, params: object, session?: string): Promise<Fields>;
  listen(session: string, listener: Listener): void;
  close(): void;
}

function connectTo(address: string): Promise<Link> {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  const waiting = new Map<number, (message: Fields) => void>();
  const listeners = new Map<string, Listener>();
  let last = 0;
  socket.on('message', (data) => {
    const message: Fields = JSON.parse(String(data));
    const { id, method, params, sessionId } = message;
    if (typeof id === 'number') waiting.get(id)?.(message);
    else listeners.get(String(sessionId))?.(String(method), (params ?? {}) as Fields);
  });
  socket.on('close', () => {
    for (const answer of waiting.values()) answer({ error: { message: 'the browser is gone' } });
  });
  const call: Link['call'] = (method, params, sessionId) =>
    new Promise((resolve, reject) => {
      last += 1;
      const id = last;
      waiting.set(id, ({ error, result }) => {
        waiting.delete(id);
        if (error !== undefined) reject(new Error(`${method}: ${JSON.stringify(error)}`));
        else resolve((result ?? {}) as Fields);
      });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () =>
      resolve({
        call,
        listen: (session, listener) => listeners.set(session, listener),
        close: () => socket.close(),
      }),
    );
  });
}

interface Size {
  readonly width: number;
  readonly height: number;
}

async function openPage(link: Link, url: string, size: Size): Promise<Page> {
  const { targetId } = await link.call('Target.createTarget', { url: 'about:blank', ...size });
  const attached = await link.call('Target.attachToTarget', { targetId, flatten: true });
  const session = String(attached['sessionId']);
  const complaints: string[] = [];
  const requests: string[] = [];
  link.listen(session, (method, params) => note({ complaints, requests }, method, params));
  const send: Page['send'] = (method, params = {}) => link.call(method, params, session);
  for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await send(`${domain}.enable`);
  await send('Emulation.setDeviceMetricsOverride', {
    ...size,
    deviceScaleFactor: 1,
    mobile: false,
  });
  const page = pageOf(send, { complaints, requests });
  await page.goto(url);
  const close = async (): Promise<void> =>
    void (await link.call('Target.closeTarget', { targetId }));
  return { ...page, close };
}

interface Notes {
  readonly complaints: string[];
  readonly requests: string[];
}

function note({ complaints, requests }: Notes, method: string, params: Fields): void {
  if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params));
  if (method === 'Network.requestWillBeSent') requests.push(urlIn(params['request']));
  if (method === 'Network.webSocketCreated') requests.push(urlIn(params));
  const { entry, type } = params as { entry?: { level?: string; text?: string }; type?: string };
  if (method === 'Log.entryAdded' && entry?.level === 'error') complaints.push(String(entry.text));
  if (method === 'Runtime.consoleAPICalled' && type === 'error') {
    complaints.push(JSON.stringify(params['args']));
  }
}

function urlIn(value: unknown): string {
  return String((value as { readonly url?: unknown }).url);
}

const UNTIL_MS = 20_000;

function pageOf(send: Page['send'], notes: Notes): Omit<Page, 'close'> {
  const evaluate = async <T>(expression: string): Promise<T> => {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { exceptionDetails, result } = await send('Runtime.evaluate', options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { readonly value: T }).value;
  };
  return {
    send,
    evaluate,
    ...notes,
    until: async (expression) => {
      const deadline = Date.now() + UNTIL_MS;
      while (Date.now() < deadline) {
        if (await evaluate<boolean>(`Boolean(${expression})`).catch(() => false)) return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      const shown = await evaluate<string>('document.body?.innerText ?? ""').catch(String);
      throw new Error(`never true: ${expression}\n${shown}\n${notes.complaints.join('\n')}`);
    },
    goto: async (url) => void (await send('Page.navigate', { url })),
    press: async (key) => {
      const text = key.length === 1 ? { text: key } : {};
      await send('Input.dispatchKeyEvent', { type: 'keyDown', key, ...text });
      await send('Input.dispatchKeyEvent', { type: 'keyUp', key });
    },
    screenshot: async () => {
      const { data } = await send('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(String(data), 'base64');
    },
  };
}
