/**
 * The dataplane's program: with the simulated driver, a simulator process of its own that outlives the
 * daemon; with a real VPP, nothing: an absent socket is a condition, not a reason not to start.
 */

import { fileURLToPath } from 'node:url';
import { ok, type Result } from '../../machines/model/result.js';
import { ensureDetachedVppSim } from '../vppsim/detached.js';
import type { BootSettings } from './settings.js';

export async function prepareDataplane({ dataplane }: BootSettings): Promise<Result<void, string>> {
  if (dataplane.driver !== 'simulated') return ok(undefined);
  const cliPath = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const started = await ensureDetachedVppSim({ path: dataplane.apiSocket, cliPath });
  return started.ok ? ok(undefined) : { ok: false, failure: started.failure.message };
}
