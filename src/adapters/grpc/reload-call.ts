/** The call `Reload`: a request becomes a pass, whose result is the answer unless nobody waits for it. */
import type { JsonObject } from '../../../machines/model/json.js';
import { ok, type Result } from '../../../machines/model/result.js';
import type { NodeApi } from '../../ports/node-api.js';

export async function reload(
  api: NodeApi,
  request: Readonly<Record<string, unknown>>,
): Promise<Result<JsonObject, never>> {
  const dryRun = request['dryRun'] === true;
  const disruptive = request['disruptive'] === true;
  const result = api.reload({ dryRun, disruptive, trigger: 'api' });
  if (request['noWait'] !== true) return ok(await result);
  // Its result is in the history, its failures in the log.
  result.catch(() => undefined);
  return ok({ status: 'requested' });
}
