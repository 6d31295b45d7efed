/**
 * The inspector: machines at work, in a browser, on loopback.
 *
 * Input: steps that the threads recorded since the last look. Output: a page at `/`, one that holds the
 * viewer of stately.ai at `/stately`, and the frames both eat over a WebSocket at the same address. Threads record only while somebody
 * watches: the first viewer starts the reading, the last one to leave ends it.
 *
 * Rules: [CL-10] [CL-11] [CL-12] in relay.ts; [CL-13] nothing is recorded while nobody watches;
 * [CL-14] a viewer that cannot keep up is cut off, and a page of another origin is not let in.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AnyStateMachine } from 'xstate';
import type { Json } from '../../../machines/model/json.js';
import { ok, type Result } from '../../../machines/model/result.js';
import type { Clock } from '../../ports/clock.js';
import type { Log } from '../../ports/log.js';
import { isOwnHost } from '../http/guard.js';
import { HTTP_LIMITS } from '../http/limits.js';
import { listenHttp } from '../http/listen.js';
import { targetOf } from '../http/query.js';
import { problem, type Reply, refuseRaw, send } from '../http/reply.js';
import { type Assets, loadAssets } from './assets.js';
import type { InspectorFilter } from './filter.js';
import { INSPECTOR_LIMITS, type InspectorLimits } from './limits.js';
import { type Batch, createRelay, type Relay, type ViewerFrame } from './relay.js';
import { NOTHING_READ, type TapRead, type TapRequest } from './tap.js';

export interface InspectorOptions {
  /** `host:port`, from `inspector.listen`. */
  readonly listen: string;
  readonly node: string;
  readonly filter: InspectorFilter;
  readonly clock: Clock;
  readonly log: Log;
  /** By machine id: where the charts come from. */
  readonly machines: ReadonlyMap<string, AnyStateMachine>;
  /** Secrets of the configuration in force: no frame holds one. */
  secrets(): readonly string[];
  /** What each thread saw since the last read; `undefined` ends the recording. */
  read(
    request: TapRequest | undefined,
  ): Promise<readonly { readonly thread: string; readonly answer: Json }[]>;
  readonly limits?: Partial<InspectorLimits>;
  /** Another viewer that eats the same frames; default: that of stately.ai. */
  readonly viewerUrl?: string;
}

const STATELY_VIEWER = 'https://stately.ai/inspect';

export interface InspectorServer {
  /** `host:port` as bound. */
  readonly address: string;
  /** `inspector.filter` changed. */
  refilter(filter: InspectorFilter): void;
  close(): Promise<void>;
}

export async function serveInspector(
  options: InspectorOptions,
): Promise<Result<InspectorServer, string>> {
  const limits = { ...INSPECTOR_LIMITS, ...options.limits };
  const assets = loadAssets(options.viewerUrl ?? STATELY_VIEWER);
  const listening = await listenHttp({
    listen: options.listen,
    key: 'inspector.listen',
    limits: HTTP_LIMITS,
    handle: (request, response) => send(response, replyTo(request, assets)),
  });
  if (!listening.ok) return listening;
  const audience = createAudience(options, limits);
  listening.value.server.on('upgrade', audience.admit);
  const { address } = listening.value;
  return ok({
    address,
    refilter: audience.refilter,
    close: async () => {
      await audience.close();
      await listening.value.close();
    },
  });
}

function replyTo({ headers: { host = '' }, method, url = '/' }: IncomingMessage, assets: Assets) {
  if (!isOwnHost(host)) return problem('forbidden', 'ask for this page by address or as localhost');
  const reply = assets(targetOf(url).path, host);
  if (reply === undefined) return problem('not-found', 'the inspector is the page at /');
  if (method === 'GET' || method === 'HEAD') return reply;
  return problem('method-not-allowed', 'the inspector only shows');
}

interface Audience {
  refilter(filter: InspectorFilter): void;
  admit(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

function createAudience(options: InspectorOptions, limits: InspectorLimits): Audience {
  const relay = createRelay({ ...options, limits });
  const viewers = new Set<WebSocket>();
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.incomingBytesMax,
  });
  let reading: Promise<void> | undefined;

  const broadcast = (frames: readonly ViewerFrame[]): void => {
    for (const viewer of viewers) sendAll(viewer, frames, limits);
  };

  const start = (): void => {
    reading ??= readWhileWatched({ options, relay, viewers, broadcast, limits }).finally(() => {
      reading = undefined;
      // A viewer that came while the recording was being ended begins the next one.
      if (viewers.size > 0) start();
    });
  };

  const join = (viewer: WebSocket): void => {
    viewers.add(viewer);
    viewer.on('close', () => viewers.delete(viewer));
    viewer.on('error', () => viewer.terminate());
    sendAll(viewer, relay.retained(), limits);
    start();
  };

  return {
    refilter: relay.refilter,
    admit: (request, socket, head) => {
      const refusal = refusalFor(request, viewers.size, limits);
      if (refusal === undefined) server.handleUpgrade(request, socket, head, join);
      else refuseRaw(socket, refusal);
    },
    close: async () => {
      for (const viewer of viewers) viewer.terminate();
      viewers.clear();
      server.close();
      await reading;
    },
  };
}

interface Reading {
  readonly options: InspectorOptions;
  readonly relay: Relay;
  readonly viewers: ReadonlySet<WebSocket>;
  readonly broadcast: (frames: readonly ViewerFrame[]) => void;
  readonly limits: InspectorLimits;
}

async function readWhileWatched(reading: Reading): Promise<void> {
  const { options, relay, viewers, broadcast, limits } = reading;
  const { clock, log } = options;
  while (viewers.size > 0) {
    const batches = await readBatches(options, relay.request(clock.monotonic()));
    const now = { atMs: clock.now(), monotonicMs: clock.monotonic() };
    broadcast(relay.accept(batches, now));
    await new Promise<void>((resolve) => clock.after(limits.readEveryMs, resolve));
  }
  await readBatches(options, undefined);
  relay.clear();
  log.debug({}, 'the last viewer of the inspector left');
}

/** A thread that cannot be read now is read the next time. */
async function readBatches(
  { read, log }: InspectorOptions,
  request: TapRequest | undefined,
): Promise<readonly Batch[]> {
  try {
    const answers = await read(request);
    return answers.map(({ thread, answer }) => ({
      ...NOTHING_READ,
      ...(answer as unknown as TapRead),
      thread,
    }));
  } catch (error) {
    log.warn({ err: error }, 'the inspector could not read the threads');
    return [];
  }
}

const TOO_SLOW = 1013;

function sendAll(
  viewer: WebSocket,
  frames: readonly ViewerFrame[],
  { viewerBytesMax }: InspectorLimits,
): void {
  for (const frame of frames) {
    if (viewer.readyState !== viewer.OPEN) return;
    if (viewer.bufferedAmount > viewerBytesMax) return viewer.close(TOO_SLOW, 'too slow');
    viewer.send(JSON.stringify(frame));
  }
}

function refusalFor(
  request: IncomingMessage,
  viewers: number,
  { viewersMax }: InspectorLimits,
): Reply | undefined {
  if (!isOwnOrigin(request))
    return problem('forbidden', 'only the page of this inspector may look');
  if (viewers >= viewersMax) return problem('too-many', `${viewersMax} viewers look already`);
  return undefined;
}

/**
 * Browsers let any page open a WebSocket, so the page must be ours: same host, and that host an address
 * or `localhost`. Programs send no origin.
 */
function isOwnOrigin({ headers: { host, origin } }: IncomingMessage): boolean {
  if (!isOwnHost(host)) return false;
  return origin === undefined || origin === `http://${host}`;
}
