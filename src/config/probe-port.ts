/**
 * Which port to probe when the health check does not say.
 *
 * A member of a group: the group's `probePort`. A static backend: servers answer on the VIP's own
 * port, so the port of the frontends that have it as a member, when they agree on one; otherwise
 * what the type of the check implies (http 80, https 443, icmp none).
 */
import { fail, ok, type Result } from '../../machines/model/result.js';
import type { Config } from './complete.js';

/** What icmp probes. */
const NO_PORT = 0;

type HealthCheckConfig = Config['healthChecks'][string];

/** Ports of the static frontends that have a static backend as a member, by backend. */
export function servedPorts(config: Config): ReadonlyMap<string, ReadonlySet<number>> {
  const ports = new Map<string, Set<number>>();
  for (const frontend of Object.values(config.frontends)) {
    for (const { backend } of frontend.pools.flatMap((pool) => pool.members)) {
      if (backend === undefined) continue;
      const served = ports.get(backend) ?? new Set<number>();
      ports.set(backend, served.add(frontend.port));
    }
  }
  return ports;
}

/** Fails with the sentence for the operator. */
export function backendProbePort(
  check: HealthCheckConfig,
  served: ReadonlySet<number> = new Set(),
): Result<number, string> {
  if (check.type === 'icmp') return ok(NO_PORT);
  if (check.port !== undefined) return ok(check.port);
  const [only, ...others] = [...served].filter((port) => port > 0);
  if (only !== undefined && others.length === 0) return ok(only);
  if (only === undefined && check.type === 'http') return ok(80);
  if (only === undefined && check.type === 'https') return ok(443);
  return fail(
    only === undefined
      ? 'which port to probe? give the health check a port'
      : 'its frontends have different ports; give the health check the port to probe',
  );
}

/** Fails with the sentence for the operator; `undefined`: nothing to probe and no port known. */
export function groupProbePort(
  backend: { readonly probePort?: number | undefined } | undefined,
  check: HealthCheckConfig | undefined,
): Result<number | undefined, string> {
  const icmp = backend !== undefined && check?.type === 'icmp';
  const port = backend?.probePort ?? check?.port ?? (icmp ? NO_PORT : undefined);
  if (port !== undefined || backend === undefined) return ok(port);
  return fail('which port to probe? give the group a probePort, or its health check a port');
}
