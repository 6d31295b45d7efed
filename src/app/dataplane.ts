/**
 * The dataplane and its program: with the simulated driver, a simulator process of its own that outlives
 * the daemon and is started again when it died; with a real VPP, nothing: an absent socket is a
 * condition, not a reason not to start.
 */

import { fileURLToPath } from 'node:url';
import { fail, ok, type Result } from '../../machines/model/result.js';
import { openVpp, type VppOptions } from '../adapters/vpp/client.js';
import { asOnlyWriter } from '../adapters/vpp/only-writer.js';
import type { Dataplane } from '../ports/dataplane.js';
import { ensureDetachedVppSim } from '../vppsim/detached.js';
import type { BootSettings } from './settings.js';

type DataplaneSettings = Pick<BootSettings, 'dataplane'>;

export async function prepareDataplane({
  dataplane,
}: DataplaneSettings): Promise<Result<void, string>> {
  if (dataplane.driver !== 'simulated') return ok(undefined);
  const cliPath = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const started = await ensureDetachedVppSim({ path: dataplane.apiSocket, cliPath });
  return started.ok ? ok(undefined) : fail(started.failure.message);
}

/** `undefined`: there is none by configuration. */
export function openDataplane(
  settings: DataplaneSettings,
  options: VppOptions,
): Dataplane | undefined {
  switch (settings.dataplane.driver) {
    case 'none':
      return undefined;
    case 'vpp':
      return asOnlyWriter(openVpp(options), settings.dataplane.apiSocket);
    case 'simulated':
      return revived(openVpp(options), () => prepareDataplane(settings));
  }
}

/** Each connect first makes sure that there is something to connect to. */
function revived(vpp: Dataplane, revive: () => Promise<Result<void, string>>): Dataplane {
  return {
    connect: async () => {
      const alive = await revive();
      return alive.ok ? vpp.connect() : fail({ code: 'LB_UNREACHABLE', message: alive.failure });
    },
    read: () => vpp.read(),
    apply: (op) => vpp.apply(op),
    ping: () => vpp.ping(),
    onDown: (listener) => vpp.onDown(listener),
    close: () => vpp.close(),
  };
}
