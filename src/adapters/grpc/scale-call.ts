/**
 * The call Scale of the Control service: orders a size, and says whether the shrink guard will hold it.
 *
 * Input: the node, the request. Output: the group's answer, with `held` when what it takes away is more than may
 * go by itself now.
 */
import { parseGroupKey } from '../../../machines/model/ids.js';
import type { JsonObject } from '../../../machines/model/json.js';
import { ok } from '../../../machines/model/result.js';
import type { NodeApi } from '../../ports/node-api.js';
import { type Answer, named, termsIn } from './calls.js';
import { numberOf, type Request, textOf } from './request-fields.js';

export async function scale(api: NodeApi, request: Request): Answer {
  const shown = textOf(request, 'group');
  const target = { kind: 'group', name: parseGroupKey(shown), shown } as const;
  const size = numberOf(request, 'size');
  // Asked before the order: what is let go leaves the count at once.
  const before = await named(api, target, { type: 'operator.whyNot' });
  const ordered = await named(api, target, { type: 'operator.scale', size, ...termsIn(request) });
  if (!before.ok || !ordered.ok) return ordered;
  const counted = Number(before.value['counted'] ?? 0);
  const held = await heldOf(api, counted - size);
  return ok({ ...ordered.value, ...held });
}

async function heldOf(api: NodeApi, count: number): Promise<JsonObject> {
  if (count <= 0) return {};
  const guards = await api.list('guards', {});
  const shrink = guards.find(({ name }) => name === 'shrink');
  const [used, limit] = [Number(shrink?.['used'] ?? 0), Number(shrink?.['limit'] ?? 0)];
  if (shrink === undefined || used + count <= limit) return {};
  const window = `${used} of ${limit} that may go by themselves are used`;
  return {
    held: `${count} instances would go, and ${window}: they stay until "switchyard confirm shrink"`,
  };
}
