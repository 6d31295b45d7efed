/**
 * The near ends of G4 and G5: a real link, with all that is on it (batches, credit, codec, checks), and
 * a bare MessagePort that carries one whole number per post. Both send notes that carry a number, and
 * both may be asked for the sum of them, which is the proof that all of them came.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { linkPorts } from '../../src/adapters/threads/link.js';
import { createMesh } from '../../src/adapters/threads/mesh.js';
import { SILENT } from './cells.js';
import { sendWhenTaken } from './send-when-taken.js';
import { FAR, type FarEnd, letterOf, NEAR } from './transport-note.js';

export interface NearEnd {
  /** One note; a promise when whoever sends must wait. */
  send(value: number): Promise<void> | undefined;
  /** One note that wants an answer: the sum of all there have been. */
  ask(value: number): Promise<number>;
  close(): Promise<void>;
}

export function linkEnd(): NearEnd {
  const [near, far] = linkPorts();
  const worker = farEnd({ kind: 'link', ports: far }, [far.bulk, far.urgent]);
  const asked = new Map<string, (sum: number) => void>();
  const mesh = createMesh({
    thread: NEAR,
    incarnation: 1,
    log: SILENT,
    deliver: () => undefined,
    settle: (replyTo, outcome) => {
      const resolve = asked.get(replyTo);
      asked.delete(replyTo);
      resolve?.(outcome.ok ? Number(outcome.value) : Number.NaN);
    },
    answer: () => null,
  });
  mesh.attach({ name: FAR, incarnation: 1 }, near);
  let asks = 0;
  return {
    send: (value) => sendWhenTaken(mesh, FAR, letterOf(value)),
    ask: async (value) => {
      asks += 1;
      const replyTo = `${NEAR}:1:${asks}`;
      const { to, from, cause, body } = letterOf(value);
      const answered = new Promise<number>((resolve) => asked.set(replyTo, resolve));
      const waits = sendWhenTaken(mesh, FAR, { to, from, cause, body, replyTo });
      if (waits !== undefined) await waits;
      return await answered;
    },
    close: async () => {
      mesh.close();
      await worker.terminate();
    },
  };
}

export function portEnd(): NearEnd {
  const { port1: near, port2: far } = new MessageChannel();
  const worker = farEnd({ kind: 'port', port: far }, [far]);
  let answer: (sum: number) => void = () => undefined;
  near.on('message', (sum: number) => answer(sum));
  return {
    send: (value) => {
      near.postMessage(value);
      return undefined;
    },
    ask: (value) =>
      new Promise((resolve) => {
        answer = resolve;
        near.postMessage(-value);
      }),
    close: async () => {
      near.close();
      await worker.terminate();
    },
  };
}

function farEnd(workerData: FarEnd, transferList: MessagePort[]): Worker {
  const worker = new Worker(new URL('./transport-worker.js', import.meta.url), {
    workerData,
    transferList,
  });
  worker.on('error', (error) => {
    throw error;
  });
  return worker;
}
