/** The worker thread of G6: a host with our cells, or live XState actors, at the other end of the link. */
import { workerData } from 'node:worker_threads';
import { keyOf as keyOfAddress } from '../../machines/model/ids.js';
import type { Json } from '../../machines/model/json.js';
import { ok } from '../../machines/model/result.js';
import type { LinkPorts } from '../../src/adapters/threads/link.js';
import { createMesh } from '../../src/adapters/threads/mesh.js';
import type { Envelope } from '../../src/runtime/envelope.js';
import type { Remote } from '../../src/runtime/kernel.js';
import { createLiveActors } from '../baselines/live-actors.js';
import { BARRIER, createCellWorld, SILENT, type Totals } from './cells.js';
import { MAIN, READY, SHARD, TOTALS } from './end-to-end.js';
import { type Params, param } from './probe.js';

/** What the link feeds. */
interface Fed {
  deliver(envelope: Envelope): void;
  totals(): Totals;
}

const { ports, params } = workerData as { readonly ports: LinkPorts; readonly params: Params };

const mesh = createMesh({
  thread: SHARD,
  incarnation: 1,
  log: SILENT,
  deliver: (envelope) => deliver(envelope),
  settle: () => undefined,
  answer: async (name): Promise<Json> => {
    const { deliver: take, totals } = await fed;
    deliver = take;
    return name === TOTALS ? { ...totals() } : name === READY;
  },
});
/** Nothing is sent before main has asked whether all is ready. */
let deliver: Fed['deliver'] = () => undefined;
const fed = param(params, 'live') === 1 ? feedLive(mesh) : feedCells(mesh);
mesh.attach({ name: MAIN, incarnation: 1 }, ports);

async function feedCells(remote: Remote): Promise<Fed> {
  const world = await createCellWorld({ thread: SHARD, remote });
  await world.spawn('backend', param(params, 'actors'));
  return { deliver: world.host.send, totals: () => world.totals('backend') };
}

async function feedLive(remote: Remote): Promise<Fed> {
  const live = createLiveActors();
  live.spawn(param(params, 'actors'));
  const byKey = new Map(live.children.map((child) => [child.id, child]));
  return {
    deliver: ({ to, body, replyTo }) => {
      if (to === BARRIER) return remote.reply(MAIN, replyTo ?? '', ok(null));
      byKey.get(keyOfAddress(to))?.send(body as never);
    },
    totals: live.totals,
  };
}
