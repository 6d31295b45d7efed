/**
 * `GET /api/v1/events`: the event stream as server-sent events. The id of each event is its sequence,
 * so that a browser that reconnects says by itself where it was.
 *
 * Rules: [CL-6] a stream resumes after the last event its reader saw; [CL-7] a reader slower than the
 * events is waited for, not buffered for.
 */
import type { ServerResponse } from 'node:http';
import type { NodeApi, WatchItem } from '../../ports/node-api.js';
import { followEvents } from '../watch/follow.js';
import type { HttpLimits } from './limits.js';
import { sendStreamHead } from './reply.js';

export interface StreamOptions {
  readonly api: Pick<NodeApi, 'watch'>;
  readonly since: number;
  readonly wanted: (item: WatchItem) => boolean;
  readonly limits: HttpLimits;
}

const RETRY_MS = 2_000;

export function streamEvents(response: ServerResponse, options: StreamOptions): void {
  const { api, since, wanted, limits } = options;
  sendStreamHead(response);
  response.write(`retry: ${RETRY_MS}\n\n`);
  const following = followEvents({
    api,
    since,
    write: (item) => !wanted(item) || response.write(frameOf(item)),
  });
  const heartbeat = setInterval(() => {
    if (response.writableLength === 0) response.write(': still here\n\n');
  }, limits.heartbeatMs);
  response.on('drain', following.resume);
  response.on('close', () => {
    clearInterval(heartbeat);
    following.stop();
  });
}

/** JSON has no raw line feeds, so one `data` line holds the item. */
function frameOf(item: WatchItem): string {
  return `id: ${item.seq}\ndata: ${JSON.stringify(item)}\n\n`;
}
