/**
 * The TCP check at its cheapest: one handle, one timer, no stream.
 *
 * Output: as the slow way's (connect.ts): connected, or the outcome that explains why not, or a timeout
 * that waits for the poll phase once more, so that an answer that is already here wins.
 */
import { getSystemErrorName } from 'node:util';
import type { HealthCheckSpec } from '../../../machines/model/desired.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { ProbeTarget } from '../../ports/prober.js';
import { failed, type Outcome, passed, refusalOf } from './outcome.js';
import type { Tcp, TcpHandle } from './tcp-handle.js';

const CONNECTED = passed('L4OK', 'connected');

/** A check is made ten thousand times a second: `done` is a call and no promise. */
export function probeTcp(
  { tcp, clock }: { readonly tcp: Tcp; readonly clock: Clock },
  { target, check }: { readonly target: ProbeTarget; readonly check: HealthCheckSpec },
  done: (outcome: Outcome) => void,
): void {
  const handle = tcp.handle(target.address.includes(':') ? 6 : 4);
  let cancel: Cancel | undefined;
  let over = false;
  const end = (outcome: Outcome): void => {
    if (over) return;
    over = true;
    cancel?.();
    if (outcome !== CONNECTED || handle.reset(nothing) !== 0) handle.close();
    done(outcome);
  };
  const request = tcp.request();
  request.oncomplete = (status) => end(status === 0 ? CONNECTED : refused(status, target));
  const status = begin(handle, { target, check, connect: request });
  if (status !== 0) return end(refused(status, target));
  const { timeoutMs } = check;
  const late = () => end(failed('L4TOUT', `no answer within ${timeoutMs} ms`));
  cancel = clock.after(timeoutMs, () => clock.soon(late));
}

interface Beginning {
  readonly target: ProbeTarget;
  readonly check: HealthCheckSpec;
  readonly connect: Parameters<TcpHandle['connect']>[0];
}

function begin(handle: TcpHandle, { target, check, connect }: Beginning): number {
  const { address, port } = target;
  if (address.includes(':')) {
    const bound = check.source6 === undefined ? 0 : handle.bind6(check.source6, 0, 0);
    return bound === 0 ? handle.connect6(connect, address, port) : bound;
  }
  const bound = check.source4 === undefined ? 0 : handle.bind(check.source4, 0);
  return bound === 0 ? handle.connect(connect, address, port) : bound;
}

function refused(status: number, { address, port }: ProbeTarget): Outcome {
  const code = getSystemErrorName(status);
  return refusalOf(Object.assign(new Error(`connect ${code} ${address}:${port}`), { code }));
}

function nothing(): void {}
