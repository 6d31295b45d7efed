/**
 * The words of the configuration: durations, shares, sizes, rates, names, addresses, paths.
 *
 * Each is a zod type that reads the text an operator writes and yields the value the code uses:
 * milliseconds, shares of 1, bytes, canonical addresses. The sentence of each says what it expects
 * and shows one. Every duration is milliseconds from here on.
 */
import { z } from 'zod';
import { NAME_PATTERN } from '../../machines/model/ids.js';
import { parseCron } from '../policy/cron.js';
import { canonicalAddress, networkOf, parsePrefix } from './address.js';
import { configLimits } from './limits.js';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

type Parsed<T> = T | { readonly refused: string };

/** Text with a meaning: `read` gives the value, or the sentence that says what is wrong with it. */
function word<T extends string | number | readonly string[]>(
  expected: string,
  pattern: RegExp,
  read: (text: string) => Parsed<T>,
) {
  return z
    .string({ error: `expected ${expected}` })
    .max(configLimits.textLengthMax, { error: 'too long' })
    .regex(pattern, { error: `expected ${expected}` })
    .transform((text, context): T => {
      const value = read(text);
      if (typeof value !== 'object' || !('refused' in value)) return value;
      context.addIssue({ code: 'custom', message: value.refused });
      return z.NEVER;
    });
}

function readDuration(text: string): Parsed<number> {
  const [, count = '', unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  const durationMs = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  return durationMs <= configLimits.durationMsMax
    ? durationMs
    : { refused: 'longer than ten years' };
}

const DURATION = /^\d{1,15}(ms|s|m|h|d)$/;
const DURATION_EXAMPLE = 'a duration like 500ms, 5s, 1m, 2h or 30d';

/** A duration of zero or more. */
export const duration = word<number>(DURATION_EXAMPLE, DURATION, readDuration);

/** A duration of more than zero. */
export const span = word<number>(DURATION_EXAMPLE, DURATION, (text) => {
  const durationMs = readDuration(text);
  return durationMs === 0 ? { refused: 'must be longer than zero' } : durationMs;
});

/** `25%` as 0.25. */
export const share = word<number>('a percentage like 25%', /^\d{1,3}(\.\d{1,3})?%$/, (text) => {
  const value = Number(text.slice(0, -1)) / 100;
  return value <= 1 ? value : { refused: 'at most 100%' };
});

/** `1GiB` in bytes. */
export const size = word<number>(
  'a size like 512MiB or 1GiB',
  /^\d{1,9}(B|KiB|MiB|GiB)$/,
  (text) => {
    const [, count = '', unit = ''] = /^(\d+)(\w+)$/.exec(text) ?? [];
    return Number(count) * (UNIT_BYTES[unit] ?? Number.NaN);
  },
);

/** `10/s` or `1/5s`, in events per second. */
export const rate = word<number>(
  'a rate like 10/s, 30/m or 1/5s',
  /^\d{1,9}\/\d{0,6}(s|m|h)$/,
  (text) => {
    const [, count = '', every = '', unit = ''] = /^(\d+)\/(\d*)(\w+)$/.exec(text) ?? [];
    const perSecond = (Number(count) * 1_000) / (Number(every || '1') * (UNIT_MS[unit] ?? 0));
    return perSecond > 0 && Number.isFinite(perSecond)
      ? perSecond
      : { refused: 'must be more than zero; "off" means no limit' };
  },
);

const NAME_EXPECTED = 'a name of 1 to 63 lower-case letters, digits and inner hyphens';

export const name = z.string({ error: `expected ${NAME_EXPECTED}` }).regex(NAME_PATTERN, {
  error: `expected ${NAME_EXPECTED}`,
});

/** `tenant/group`, or `group` alone inside a tenant's template. */
export const groupReference = z
  .string({ error: 'expected a group as tenant/group' })
  .regex(/^[-a-z0-9]{1,63}(\/[-a-z0-9]{1,63})?$/, { error: 'expected a group as tenant/group' });

export const text = z
  .string({ error: 'expected text (put it in quotes)' })
  .min(1, { error: 'empty value' })
  .max(configLimits.textLengthMax, { error: 'too long' });

/** What an HTTP header can carry. The sentence does not quote it: it may be a secret. */
export const headerValue = text.regex(/^([!-~]+( +[!-~]+)*)?$/, {
  error: 'expected printable ASCII without line breaks: it is sent in an HTTP header',
});

export const headerName = text.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]*$/, {
  error: 'expected the name of an HTTP header, e.g. X-Internal-Token',
});

export const address = word<string>('an IPv4 or IPv6 address', /^[0-9a-fA-F:.%]+$/, (written) => {
  return canonicalAddress(written) ?? { refused: `"${written}" is not an IPv4 or IPv6 address` };
});

export const addressOfFamily = (family: 4 | 6) =>
  word<string>(`an IPv${family} address`, /^[0-9a-fA-F:.]+$/, (written) => {
    const canonical = canonicalAddress(written);
    const fits = canonical?.includes(':') === (family === 6);
    return fits && canonical !== undefined
      ? canonical
      : { refused: `"${written}" is not an IPv${family} address` };
  });

export const prefix = word<string>(
  'a prefix like 198.51.100.0/24',
  /^[0-9a-fA-F:./]+$/,
  (written) => {
    const parsed = parsePrefix(written);
    if (parsed === undefined)
      return { refused: `"${written}" is not a prefix like 198.51.100.0/24` };
    const network = networkOf(parsed);
    return network === parsed.text
      ? network
      : { refused: `"${written}" has host bits; did you mean "${network}"?` };
  },
);

/** `host:port`; port 0 lets the kernel choose. */
export const listenAddress = word<string>(
  'host:port, e.g. 127.0.0.1:7080',
  /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
  (written) => {
    const port = Number(written.slice(written.lastIndexOf(':') + 1));
    return port <= 65_535 ? written : { refused: 'ports end at 65535' };
  },
);

export const url = word<string>('an http:// or https:// address', /^https?:\/\/\S+$/, (written) => {
  const parsed = URL.canParse(written) ? new URL(written) : undefined;
  if (parsed === undefined) return { refused: 'expected an http:// or https:// address' };
  return parsed.username === '' && parsed.password === ''
    ? written
    : { refused: 'credentials do not belong in an address; see tenancy.auth' };
});

/** Five fields, in UTC; says which of them is wrong. */
export const cron = text.transform((written, context) => {
  const parsed = parseCron(written);
  if (parsed.ok) return written;
  context.addIssue({ code: 'custom', message: `"${written}": ${parsed.failure}` });
  return z.NEVER;
});

/** A path as written; src/config/complete.ts makes it absolute. */
export const path = text;

export const httpPath = text.regex(/^\/[!-~]*$/, { error: 'expected a path that starts with /' });

export const flag = z.boolean({ error: 'expected true or false' });

export function whole(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export const port = whole(1, 65_535);

/** A fixed word beside another type: `off`, `auto`, `always`. */
export function either<W extends string, S extends z.ZodType>(fixed: W, schema: S, says: string) {
  return z.union([z.literal(fixed), schema], { error: (issue) => explain(issue, fixed, says) });
}

/** Prefers the sentence of the second type when the value is of its kind. */
function explain(issue: unknown, fixed: string, says: string): string {
  const errors = issueErrors(issue).flat();
  const custom = errors.find((error) => error.code === 'custom');
  return custom?.message ?? `expected ${says}, or "${fixed}"`;
}

function issueErrors(issue: unknown): readonly (readonly { code?: string; message?: string }[])[] {
  const errors = (issue as { readonly errors?: unknown }).errors;
  return Array.isArray(errors) ? errors : [];
}
