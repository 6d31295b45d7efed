/** The outside world of main's own actors: configuration file, log level, providers, tenant manager. */
import type { ActorKind } from '../../machines/model/ids.js';
import type { JsonObject } from '../../machines/model/json.js';
import { fail, type Result } from '../../machines/model/result.js';
import { openAnnounceHook } from '../adapters/announce-hook/hook.js';
import { openTenancyHttp } from '../adapters/tenancy-http/tenancy-http.js';
import type { Hold } from '../ports/lease.js';
import type { AgentEnrolment, EnrolClaims } from '../ports/provider.js';
import type { TenancyApi, TenancyFailure } from '../ports/tenancy-api.js';
import type { Fleet } from './fleet.js';
import { type MainInput, providerPorts } from './ports.js';
import { type ReloadPortsInput, reloadPorts } from './reload-ports.js';

export type MainPortsInput = MainInput &
  ReloadPortsInput & {
    enrol(claims: EnrolClaims): AgentEnrolment | undefined;
    /** Shapes of all actors of a kind on the main thread. */
    views(kind: ActorKind): readonly JsonObject[];
    /** Absent: this node is its own. */
    readonly fleet: Fleet | undefined;
  };

export function mainPorts(input: MainPortsInput) {
  const { fleet, views } = input;
  return {
    ...providerPorts(input, fleet?.hold),
    ...(fleet === undefined ? {} : { fleet: fleet.ports }),
    enrol: input.enrol,
    ...reloadPorts(input),
    tenancyApi: heldOnly(tenancyApiOf(input), fleet?.hold),
    knownTenants: () => views('resource').map(({ tenant }) => String(tenant)),
    announceHook: openAnnounceHook({ clock: input.parts.clock }),
  };
}

/** Absent when tenancy is off: its actor is then never told any settings and asks nobody. */
function tenancyApiOf({ settings, configFile }: MainPortsInput): TenancyApi | undefined {
  const { tenancy, version } = settings;
  if (tenancy === undefined) return undefined;
  return openTenancyHttp({
    ...tenancy,
    token: () => configFile.secret('tenancy.auth.token'),
    bearer: () => configFile.secret('tenancy.auth.bearer'),
    userAgent: `switchyard/${version}`,
  });
}

/** Nothing is said to the tenant manager, and nothing asked, while another node may be doing it [FL-9]. */
export function heldOnly(api: TenancyApi | undefined, hold?: Hold): TenancyApi | undefined {
  if (api === undefined || hold === undefined) return api;
  const held = <T>(call: () => Promise<Result<T, TenancyFailure>>) =>
    hold.mayAct() ? call() : Promise.resolve(NOT_OURS);
  return {
    secure: (files) => api.secure(files),
    replay: (timeoutMs) => held(() => api.replay(timeoutMs)),
    poll: (after, limit, timeoutMs) => held(() => api.poll(after, limit, timeoutMs)),
    putStatus: (...args) => held(() => api.putStatus(...args)),
    deleteStatus: (...args) => held(() => api.deleteStatus(...args)),
  };
}

const NOT_OURS = fail({
  code: 'unreachable' as const,
  message: 'the lease is not ours now: nothing is asked of the tenant manager',
});
