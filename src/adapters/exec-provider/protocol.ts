/**
 * The words between this daemon and an operator's program: docs/EXEC-PROVIDER.md is their contract.
 * Pure: how a program ended in, an answer or one sentence out.
 *
 * Rules: [PR-30] an answer that is not exactly what was asked for is ignorance, and says in one sentence
 * what is wrong with it; [PR-31] only the documented exits say something definite.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { ProviderFailure } from '../../../machines/model/failures.js';
import { parseGroupKey, parseInstanceId, parseTenantId } from '../../../machines/model/ids.js';
import { fail, ok, type Result } from '../../../machines/model/result.js';
import { WORDS_MAX } from './limits.js';
import type { Ended } from './program.js';

export const PROTOCOL_VERSION = 1;

export type Verb = 'create' | 'delete' | 'status' | 'list' | 'find';

const CODES = ['not-found', 'already-exists', 'quota', 'unavailable', 'permanent'] as const;
type Code = (typeof CODES)[number];

/** Exit statuses that mean something; every other one but 0 is `unavailable`. */
const EXITS: Readonly<Record<number, Code>> = {
  3: 'not-found',
  4: 'already-exists',
  5: 'quota',
  6: 'permanent',
  75: 'unavailable',
};

function parsed<T>(parse: (text: string) => T | undefined, what: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: `"${excerpt(text, 60)}" is no ${what}` });
    return z.NEVER;
  });
}

const tags = z.object({
  installation: z.string().min(1).max(256),
  node: z.string().max(256),
  tenant: parsed(parseTenantId, 'tenant'),
  group: parsed(parseGroupKey, 'group (tenant/name)'),
  instance: parsed(parseInstanceId, 'instance id'),
  epoch: z.coerce.number().int().min(0),
});

/** When the host goes; absent: the cloud does not say. */
const notice = z.object({
  id: z.string().min(1).max(256),
  deadline: z.iso.datetime({ offset: true }).nullish(),
});

const instance = z.object({
  providerId: z.string().min(1).max(512),
  token: z.string().min(1).max(256),
  address: z.string().refine((text) => isIP(text) !== 0, 'must be an IPv4 or IPv6 address'),
  state: z.enum(['running', 'terminal']),
  notice: notice.nullish(),
  tags,
});

export const ANSWERS = {
  create: z.object({ instance }),
  delete: z.object({}),
  status: z.object({ instance }),
  list: z.object({ instances: z.array(instance), next: z.string().min(1).max(4_096).nullish() }),
  find: z.object({ instance: instance.nullable() }),
} as const satisfies Record<Verb, z.ZodType>;

const refusal = z.object({
  error: z.object({ code: z.enum(CODES), message: z.string().default('') }),
});

export type AnsweredInstance = z.output<typeof instance>;
export type AnswerOf<V extends Verb> = z.output<(typeof ANSWERS)[V]>;

export function answerOf<V extends Verb>(
  who: string,
  verb: V,
  ended: Ended,
): Result<AnswerOf<V>, ProviderFailure> {
  const name = `${who}: ${verb}`;
  if (ended.how !== 'exit') return fail(failureOf(name, ended));
  const refused = refusal.safeParse(jsonIn(ended.stdout));
  if (refused.success) return fail(told(name, refused.data.error));
  if (ended.code !== 0) {
    const code = EXITS[ended.code] ?? 'unavailable';
    return fail({ code, message: `${name} ended with ${ended.code}${lastWords(ended.stderr)}` });
  }
  const json = jsonIn(ended.stdout);
  if (json === undefined) return fail(unavailable(`${name} ${noJson(ended.stdout)}`));
  const answer = ANSWERS[verb].safeParse(json);
  if (answer.success) return ok(answer.data as AnswerOf<V>);
  return fail(unavailable(`${name} answered what was not asked for: ${problemsOf(answer.error)}`));
}

function told(name: string, { code, message }: { code: Code; message: string }): ProviderFailure {
  const words = excerpt(message, WORDS_MAX);
  return { code, message: words === '' ? `${name} failed` : `${name}: ${words}` };
}

function failureOf(name: string, ended: Exclude<Ended, { how: 'exit' }>): ProviderFailure {
  switch (ended.how) {
    case 'timeout':
      return unavailable(`${name} took longer than its timeout and was ended`);
    case 'too-much':
      return unavailable(`${name} printed more than a program may, and was ended`);
    case 'stopped':
      return unavailable(`${name} was ended: the provider is closing`);
    case 'signal':
      return unavailable(`${name} was ended by ${ended.signal}${lastWords(ended.stderr)}`);
    case 'not-started':
      return startFailure(name, ended);
  }
}

/** Nothing ran, so nothing was made: for what only the operator can mend that is definite. */
function startFailure(
  name: string,
  { code, message }: Extract<Ended, { how: 'not-started' }>,
): ProviderFailure {
  switch (code) {
    case 'ENOENT':
      return permanent(
        `${name}: there is no such program (or interpreter): correct providers.NAME.command; a path starts at the directory of the configuration`,
      );
    case 'EACCES':
    case 'ENOEXEC':
    case 'E2BIG':
      return permanent(`${name}: the program cannot be executed (${code}): chmod +x it`);
    default:
      return unavailable(`${name} could not be started: ${excerpt(message, WORDS_MAX)}`);
  }
}

function unavailable(message: string): ProviderFailure {
  return { code: 'unavailable', message };
}

function permanent(message: string): ProviderFailure {
  return { code: 'permanent', message };
}

function noJson(stdout: string): string {
  const words = excerpt(stdout, 60);
  return words === '' ? 'answered nothing' : `answered no JSON but "${words}"`;
}

function problemsOf(error: z.ZodError): string {
  const [first, ...rest] = error.issues.map(({ path, message }) => {
    return path.length === 0 ? message : `${path.join('.')}: ${message}`;
  });
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
  return excerpt(`${first}${more}`, WORDS_MAX);
}

function lastWords(stderr: string): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  const words = excerpt(last, WORDS_MAX);
  return words === '' ? '' : `: ${words}`;
}

/** One line, without control characters. */
function excerpt(text: string, max: number): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > max ? `${line.slice(0, max)}…` : line;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
