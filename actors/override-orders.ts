/**
 * The effect `orderOverride` of every actor that can be overridden. Observed: what is ordered is decided by
 * the override actor, whose commit everything else waits for.
 */
import type { OrderParams } from '../machines/overriding.js';
import { observed } from '../src/runtime/actor-type.js';

export function ordersOverride<Ports = unknown, Companion = unknown>() {
  return observed<OrderParams | undefined, Ports, Companion>((params, { scope }) => {
    if (params !== undefined) scope.tell(params.to, params.message);
  });
}
