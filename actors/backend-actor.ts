/**
 * The backend actor: runs the probe it is told to and tells verdicts to whoever acts on them.
 *
 * Verdicts are protective: they leave before the record of the change is on disk. Nothing is stored, save
 * what operators ordered, by the override actor beside it:
 * after a crash the last spec is delivered again and the backend starts as unknown, which changes
 * nobody's weight.
 */
import { backendMachine, type ProbeParams, type ReplyParams } from '../machines/backend.js';
import { type BackendMemory, type Publication, shapeOf } from '../machines/backend-memory.js';
import type { TestParams } from '../machines/backend-says.js';
import { addressOf } from '../machines/model/ids.js';
import type { JsonObject } from '../machines/model/json.js';
import type {
  BackendMessage,
  FrontendMessage,
  InstanceMessage,
} from '../machines/model/messages.js';
import type { SuspicionMessage } from '../machines/model/suspicion.js';
import type { Prober } from '../src/ports/prober.js';
import { type ActorType, observed, protective } from '../src/runtime/actor-type.js';
import { ordersOverride } from './override-orders.js';

export interface BackendPorts {
  readonly prober: Prober;
}

export const backendActor: ActorType<BackendPorts> = {
  kind: 'backend',
  machine: backendMachine,
  version: 1,
  stored: false,
  implicit: true,
  seed: 'backend.desired',
  timed: { timer: 'probeDue', metric: 'probe_start_lag_seconds' },
  effects: {
    probe: observed<ProbeParams, BackendPorts>((params, { scope, ports }) => {
      const { probe, address, port, check } = params;
      scope.run(async () => {
        const result = await ports.prober.probe({ address, port }, check);
        const answer: BackendMessage = { type: 'probe.finished', probe, result };
        return answer;
      });
    }),
    testProbe: observed<TestParams, BackendPorts>(({ replyTo, ...test }, { scope, ports }) => {
      scope.run(async () => {
        scope.reply(replyTo, await transcriptOf(ports.prober, test));
        return undefined;
      });
    }),
    publishVerdict: protective<Publication, BackendPorts>(({ to, verdict }, { scope }) => {
      const message: FrontendMessage & InstanceMessage = { type: 'backend.verdict', verdict };
      for (const address of to) scope.tell(address, message);
    }),
    tellHearing: protective<SuspicionMessage, BackendPorts>((message, { scope }) => {
      scope.tell(addressOf('suspicion', 'main'), message);
    }),
    orderOverride: ordersOverride(),
    reply: observed<ReplyParams, BackendPorts>(({ replyTo, body }, { scope }) => {
      scope.reply(replyTo, body);
    }),
  },
  isShown: ({ context }) => context['spec'] !== null,
  view: (cell) => {
    const nextProbe = cell.timers.find((timer) => timer.id.includes('probeDue'));
    return shapeOf(cell.context as unknown as BackendMemory, nextProbe?.dueAtMs);
  },
  coalesce: (message) => (message.type === 'backend.desired' ? message.type : undefined),
};

/** All that is known of one check: what was asked of whom, and what came of it. */
async function transcriptOf(
  prober: Prober,
  { address, probe: { port, check } }: Omit<TestParams, 'replyTo'>,
): Promise<JsonObject> {
  const { passed, code, detail, durationMs, positive, late } = await prober.probe(
    { address, port },
    check,
  );
  const { name, type, path, host, source4, source6, netns, timeoutMs } = check;
  const asked = type === 'http' || type === 'https' ? { path, host: host ?? address } : {};
  const source = address.includes(':') ? source6 : source4;
  return {
    ok: true,
    test: {
      passed,
      code,
      detail,
      durationMs,
      positive,
      late,
      check: name,
      type,
      address,
      ...(port === 0 ? {} : { port }),
      ...asked,
      ...(source === undefined ? {} : { source }),
      ...(netns === undefined ? {} : { netns }),
      timeoutMs,
    },
  };
}
