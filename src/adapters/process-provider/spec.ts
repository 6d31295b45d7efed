/**
 * What a template's opaque `spec` means to this provider, and the environment an instance is born
 * with. Pure: text in, a launch plan or one sentence out.
 *
 *   command      argv: a program and its arguments, no shell between
 *   env          more variables, over the template's `vars`
 *   cwd          working directory, from the config's directory; absent: that directory
 *   stopGraceMs  from SIGTERM to SIGKILL
 *
 * Rule: [PR-8] an instance sees a short list of the daemon's variables, never all of them: the daemon's
 * environment holds the secrets its config is expanded from.
 */
import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import type { TemplateSpec } from '../../../machines/model/desired.js';
import type { ProviderFailure } from '../../../machines/model/failures.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import type { CreateRequest } from '../../ports/provider.js';
import { type Environment, inherited } from '../proc/environment.js';
import { STOP_GRACE_MAX_MS, STOP_GRACE_MS } from './limits.js';

export interface LaunchPlan {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stopGraceMs: number;
}

/** What the kernel takes: its strings end at the first zero byte. */
const TEXT = z.string().refine((text) => !text.includes('\0'), 'must not contain a zero byte');
const SCALAR = z.union([TEXT, z.number().transform(String), z.boolean().transform(String)]);
const VARIABLES = z.record(TEXT.regex(/^[^=]+$/, 'must be a name without "="'), SCALAR);

const SPEC = z.strictObject({
  command: z.tuple([TEXT.min(1)], TEXT),
  env: VARIABLES.default({}),
  cwd: TEXT.min(1).default('.'),
  stopGraceMs: z.number().int().min(0).max(STOP_GRACE_MAX_MS).default(STOP_GRACE_MS),
});

const TEMPLATE = z.object({ spec: SPEC, vars: VARIABLES });

export function launchPlan(
  request: CreateRequest,
  address: string,
  surroundings: { readonly baseDir: string; readonly environment: Environment },
): Result<LaunchPlan, ProviderFailure> {
  const { template } = request;
  const parsed = TEMPLATE.safeParse(template);
  if (!parsed.success)
    return fail({ code: 'permanent', message: sentence(template, parsed.error) });
  const { vars, spec } = parsed.data;
  const { command, cwd, env, stopGraceMs } = spec;
  return ok({
    command,
    cwd: isAbsolute(cwd) ? cwd : resolve(surroundings.baseDir, cwd),
    env: {
      ...inherited(surroundings.environment),
      ...vars,
      ...env,
      ...identityEnvironment(request, address),
    },
    stopGraceMs,
  });
}

export const TOKEN_VARIABLE = 'SWITCHYARD_TOKEN';

/** The token of a create, from the variable: what follows the first dot is for the agent alone. */
export function tokenIn(variable: string): string {
  return variable.split('.', 1)[0] ?? '';
}

function identityEnvironment(request: CreateRequest, address: string): Record<string, string> {
  const { tags, token, port, agent } = request;
  return {
    SWITCHYARD_ADDRESS: address,
    ...(port === undefined ? {} : { SWITCHYARD_PORT: String(port) }),
    SWITCHYARD_INSTANCE: tags.instance,
    SWITCHYARD_TENANT: tags.tenant,
    SWITCHYARD_GROUP: tags.group,
    // What agents show begins with the token that the provider looks for.
    [TOKEN_VARIABLE]: agent?.token ?? token,
    ...(agent === undefined ? {} : { SWITCHYARD_SERVER: agent.server }),
  };
}

function sentence(template: TemplateSpec, error: z.ZodError): string {
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return `template "${template.name}" cannot start a process (${problems.join('; ')}); a process needs spec.command: [program, argument, …]`;
}
