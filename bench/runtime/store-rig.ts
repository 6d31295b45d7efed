/**
 * The threads of the store's benches, as src/app/threads.ts has them: from the same pool, each linked to
 * the store's; a killed one is fenced off and its successor starts on the spare, which has rehearsed.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { systemClock } from '../../src/adapters/system/clock.js';
import { type LinkPorts, linkPorts } from '../../src/adapters/threads/link.js';
import { createMesh, type Peer } from '../../src/adapters/threads/mesh.js';
import { createThreadPool } from '../../src/adapters/threads/pool.js';
import { createRemoteStore, type RemoteStore } from '../../src/adapters/threads/remote-store.js';
import { meshBase, type ShardTask, type Word } from './store-thread.js';

export interface Life {
  /** The next word of this kind; rejects when the thread ends before. */
  word<T extends Word['type']>(type: T): Promise<Word & { readonly type: T }>;
  kill(): void;
  /** Resolves when the thread's end was seen. */
  readonly ended: Promise<void>;
}

export interface Rig {
  readonly store: RemoteStore;
  launch(work: ShardTask['work']): Life;
  /** As when a thread's end was seen: its successor is to come. */
  fence(): Promise<void>;
  /** Who was launched has what it needs: a spare may be made. */
  settled(): void;
  close(): Promise<void>;
}

const LOADER = new URL('../../src/app/worker-loader.cjs', import.meta.url).href;
const ENTRY = new URL('./store-thread.js', import.meta.url).href;
const SHARD = 'shard-0';
/** As src/app/threads.ts has it. */
const HEAP_MB = 4_096;

export async function openRig(file: string): Promise<Rig> {
  const pool = createThreadPool({
    loader: LOADER,
    entry: ENTRY,
    tasks: 2,
    heapMb: HEAP_MB,
    after: systemClock().after,
    onSpareDied: (error) => {
      throw error;
    },
  });
  const start = (
    task: object,
    transfer: MessagePort[],
  ): Life & { readonly control: MessagePort } => {
    const { port1: control, port2 } = new MessageChannel();
    const killer = new AbortController();
    const ending = pool.run({ ...task, control: port2 }, [port2, ...transfer], killer.signal);
    return { control, ...lifeOf(control, ending), kill: () => killer.abort() };
  };
  const keeper = start({ role: 'store', file }, []);
  await keeper.word('ready');
  const linkToStore = (peer: Peer): LinkPorts => {
    const [near, far] = linkPorts();
    keeper.control.postMessage({ peer, ports: far }, [far.bulk, far.urgent]);
    return near;
  };
  const store = createRemoteStore();
  const mesh = createMesh({
    ...meshBase('main', 1),
    deliver: () => undefined,
    store,
    storePeer: 'store',
  });
  mesh.attach({ name: 'store', incarnation: 1 }, linkToStore({ name: 'main', incarnation: 1 }));
  let incarnation = 1;
  return {
    store,
    launch: (work) => {
      incarnation += 1;
      const ports = linkToStore({ name: SHARD, incarnation });
      const task = { role: 'shard', thread: SHARD, shards: 1, incarnation, work, store: ports };
      return start(task, [ports.bulk, ports.urgent]);
    },
    settled: pool.settled,
    fence: async () => void (await store.fence(SHARD, incarnation + 1)),
    close: async () => {
      keeper.control.close();
      mesh.close();
      await pool.close();
    },
  };
}

function lifeOf(control: MessagePort, ending: Promise<unknown>): Pick<Life, 'word' | 'ended'> {
  const ended = ending.then(
    () => undefined,
    () => undefined,
  );
  const failed = ending.then(
    () => Promise.reject(new Error('the thread ended')),
    (error: unknown) => Promise.reject(error),
  );
  failed.catch(() => undefined);
  const word = <T extends Word['type']>(type: T): Promise<Word & { readonly type: T }> => {
    const heard = new Promise<Word & { readonly type: T }>((resolve) => {
      control.on('message', (said: Word) => {
        if (said.type === type) resolve(said as Word & { readonly type: T });
      });
    });
    return Promise.race([heard, failed]);
  };
  return { word, ended };
}
