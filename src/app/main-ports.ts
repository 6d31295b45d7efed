/** The outside world of main's own actors: configuration file, log level, providers, tenant manager. */
import { openAnnounceHook } from '../adapters/announce-hook/hook.js';
import { openTenancyHttp } from '../adapters/tenancy-http/tenancy-http.js';
import type { ConfigFile, LogLevel } from '../ports/config-file.js';
import type { AgentEnrolment, EnrolClaims } from '../ports/provider.js';
import type { TenancyApi } from '../ports/tenancy-api.js';
import { type MainInput, providerPorts } from './ports.js';

export interface MainPortsInput extends MainInput {
  readonly configFile: ConfigFile;
  enrol(claims: EnrolClaims): AgentEnrolment | undefined;
  /** Every thread of the node. */
  setLogLevel(level: LogLevel): Promise<void>;
  setGeneration(generation: number): void;
}

export function mainPorts(input: MainPortsInput) {
  const { configFile, setLogLevel, setGeneration } = input;
  return {
    ...providerPorts(input),
    enrol: input.enrol,
    configFile,
    setLogLevel,
    setGeneration,
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
