/**
 * The call Sweep of the Control service: asks providers for everything they have, at once, and tells what
 * nobody owns.
 *
 * Input: the node; a provider's name, or none for all of them. Output: one object for each provider.
 */
import { addressOf } from '../../../machines/model/ids.js';
import type { JsonObject } from '../../../machines/model/json.js';
import type { SweepMessage } from '../../../machines/model/messages.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { NodeApi } from '../../ports/node-api.js';
import { answered, type CallFailure, notFound } from './calls.js';
import { type Request, textOf } from './request-fields.js';

const SWEEP: SweepMessage = { type: 'operator.sweep' };

export async function sweep(
  api: NodeApi,
  request: Request,
): Promise<Result<readonly JsonObject[], CallFailure>> {
  const shown = textOf(request, 'name');
  const known = (await api.list('providers', {})).map(({ name }) => String(name));
  const names = shown === '' ? known : known.filter((name) => name === shown);
  if (shown !== '' && names.length === 0) return fail(notFound('provider', shown));
  const asked = names.map((name) => api.ask(addressOf('sweep', name), SWEEP));
  const swept: JsonObject[] = [];
  for (const outcome of await Promise.all(asked)) {
    const answer = answered(outcome);
    if (!answer.ok) return answer;
    const { ok: _, ...found } = answer.value;
    swept.push(found);
  }
  return ok(swept);
}
