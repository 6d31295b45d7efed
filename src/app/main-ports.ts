/** The outside world of main's own actors: configuration file, log level, providers, tenant manager. */
import { openAnnounceHook } from '../adapters/announce-hook/hook.js';
import { openTenancyHttp } from '../adapters/tenancy-http/tenancy-http.js';
import type { AgentEnrolment, EnrolClaims } from '../ports/provider.js';
import type { TenancyApi } from '../ports/tenancy-api.js';
import { type MainInput, providerPorts } from './ports.js';
import { type ReloadPortsInput, reloadPorts } from './reload-ports.js';

export type MainPortsInput = MainInput &
  ReloadPortsInput & { enrol(claims: EnrolClaims): AgentEnrolment | undefined };

export function mainPorts(input: MainPortsInput) {
  return {
    ...providerPorts(input),
    enrol: input.enrol,
    ...reloadPorts(input),
    tenancyApi: tenancyApiOf(input),
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
