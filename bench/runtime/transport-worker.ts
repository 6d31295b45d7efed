/** The other thread of G4 and G5: the far end of a real link, or of a bare port. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { ok } from '../../machines/model/result.js';
import type { LinkPorts } from '../../src/adapters/threads/link.js';
import { createMesh } from '../../src/adapters/threads/mesh.js';
import type { Envelope } from '../../src/runtime/envelope.js';
import { SILENT } from './cells.js';
import { FAR, type FarEnd, NEAR, type Note } from './transport-note.js';

const end = workerData as FarEnd;
if (end.kind === 'link') serveLink(end.ports);
else servePort(end.port);

/** Takes notes and sums them up; whoever asks, by an envelope too, hears the sum so far. */
function serveLink(ports: LinkPorts): void {
  let sum = 0;
  const deliver = ({ body, replyTo }: Envelope): void => {
    sum += (body as Note).latencyUs;
    if (replyTo !== undefined) mesh.reply(NEAR, replyTo, ok(sum));
  };
  const mesh = createMesh({
    thread: FAR,
    incarnation: 1,
    log: SILENT,
    deliver,
    settle: () => undefined,
    answer: () => null,
  });
  mesh.attach({ name: NEAR, incarnation: 1 }, ports);
}

/** The same with the least there is: a whole number per post; one below nought asks. */
function servePort(port: MessagePort): void {
  let sum = 0;
  port.on('message', (note: number) => {
    if (note >= 0) sum += note;
    else {
      sum -= note;
      port.postMessage(sum);
    }
  });
}
