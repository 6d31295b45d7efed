/**
 * The standard health service: SERVING while the node says that it is ready, for itself and for each of its
 * services.
 *
 * Rules: [CL-80] the status is that of `/readyz`; a service nobody has heard of is NOT_FOUND, or
 * SERVICE_UNKNOWN to a watcher.
 */
import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { NodeApi } from '../../ports/node-api.js';

interface Asked {
  readonly service: string;
}

type Serving = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
interface Answer {
  readonly status: Serving;
}

const KNOWN = ['', 'switchyard.v1.Control', 'switchyard.v1.Operator', 'switchyard.v1.Agent'];

/** A watcher is told of a change within this time. */
const LOOK_MS = 1_000;

export function healthService(options: {
  readonly api: Pick<NodeApi, 'ready'>;
  readonly clock: Clock;
}): UntypedServiceImplementation {
  const { api, clock } = options;
  const serving = async ({ service }: Asked): Promise<Serving> => {
    if (!KNOWN.includes(service)) return 'SERVICE_UNKNOWN';
    const ready = await api.ready().catch(() => ({ ready: false }));
    return ready.ready ? 'SERVING' : 'NOT_SERVING';
  };
  return {
    Check: (call: ServerUnaryCall<Asked, Answer>, done: sendUnaryData<Answer>) => {
      void serving(call.request).then((state) =>
        state === 'SERVICE_UNKNOWN'
          ? done({ code: status.NOT_FOUND, message: 'there is no such service' })
          : done(null, { status: state }),
      );
    },
    Watch: (call: ServerWritableStream<Asked, Answer>) => {
      let told: Serving | undefined;
      let over = false;
      let cancel: Cancel = () => undefined;
      const look = async (): Promise<void> => {
        const state = await serving(call.request);
        if (over) return;
        if (state !== told) call.write({ status: state });
        told = state;
        cancel = clock.after(LOOK_MS, () => void look());
      };
      const stop = (): void => {
        over = true;
        cancel();
      };
      for (const event of ['cancelled', 'close', 'error']) call.on(event, stop);
      void look();
    },
  };
}
