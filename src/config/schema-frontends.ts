/**
 * Schema of the dataplane's objects: health checks, backends, frontends and their pools.
 */
import { z } from 'zod';
import { compilePattern } from '../policy/pattern.js';
import { defaultFailBackAt } from './follows.js';
import { configLimits } from './limits.js';
import { disruptive, reload, section } from './notes.js';
import {
  address,
  addressOfFamily,
  duration,
  either,
  flag,
  groupReference,
  httpPath,
  name,
  port,
  share,
  span,
  text,
  whole,
} from './scalars.js';

const NAT_REFUSED =
  'NAT is refused: valid NAT requests can crash VPP; use gre4, gre6 or l3dsr instead';

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

const STATUS_EXPECTED = 'expected status codes like 200, "200-299" or "200,204,300-399"';
const STATUS_WORD = /^[1-5]\d\d(-[1-5]\d\d)?(,[1-5]\d\d(-[1-5]\d\d)?){0,31}$/;

const status = z
  .union([z.int(), z.string(), z.array(z.union([z.int(), z.string()])).max(32)], {
    error: STATUS_EXPECTED,
  })
  .transform((written, context): readonly StatusRange[] => {
    const words = String(written).replaceAll(' ', '');
    const ranges = STATUS_WORD.test(words) ? words.split(',').map(readRange) : [];
    if (ranges.length > 0 && ranges.every((range) => range.from <= range.to)) return ranges;
    context.addIssue({ code: 'custom', message: STATUS_EXPECTED });
    return z.NEVER;
  });

function readRange(written: string): StatusRange {
  const [from = '', to = from] = written.split('-');
  return { from: Number(from), to: Number(to) };
}

/** What the prober's linear-time engine takes: no answer can make a probe think for long. */
const bodyPattern = text.superRefine((written, context) => {
  const compiled = compilePattern(written);
  if (!compiled.ok) context.addIssue({ code: 'custom', message: compiled.failure.message });
});

export const healthCheck = z
  .strictObject({
    type: reload(z.enum(['tcp', 'http', 'https', 'icmp'])),
    port: reload(port.optional()),
    path: reload(httpPath.default('/')),
    host: reload(text.optional()),
    status: reload(status.prefault(200)),
    bodyMatches: reload(bodyPattern.optional()),
    serverName: reload(text.optional()),
    insecureSkipVerify: reload(flag.default(false)),
    interval: reload(span.prefault('2s'), { unit: 'duration' }),
    fastInterval: reload(span.optional(), { unit: 'duration' }),
    downInterval: reload(span.optional(), { unit: 'duration' }),
    timeout: reload(span.prefault('1s'), { unit: 'duration' }),
    rise: reload(whole(1, 1_000).default(2)),
    fall: reload(whole(1, 1_000).default(3)),
    snap: reload(flag.default(true)),
    jitter: reload(share.prefault('10%'), { unit: 'share' }),
    source4: reload(addressOfFamily(4).optional()),
    source6: reload(addressOfFamily(6).optional()),
    netns: reload(name.optional()),
  })
  .transform((written) => ({
    ...written,
    fastInterval: written.fastInterval ?? written.interval,
    downInterval: written.downInterval ?? written.interval,
  }));

export const backend = z.strictObject({
  address: reload(address),
  healthCheck: reload(name.optional()),
  enabled: reload(flag.default(true)),
});

const member = z
  .strictObject({
    backend: reload(name.optional()),
    group: reload(groupReference.optional()),
    weight: reload(whole(0, 100).default(100)),
  })
  .refine((written) => (written.backend === undefined) !== (written.group === undefined), {
    error: 'a member is either { backend: NAME } or { group: TENANT/GROUP }',
  });

const pool = z.strictObject({
  name: reload(name),
  members: z
    .array(member)
    .min(1, { error: 'a pool needs at least one member' })
    .max(configLimits.poolMembersMax),
});

const encap = z.enum(['auto', 'gre4', 'gre6', 'l3dsr'], {
  error: (issue) => (/^nat[46]$/i.test(String(issue.input)) ? NAT_REFUSED : undefined),
});

const TABLE_LENGTH = 'a power of two from 1 to 32768';
const tableLength = either(
  'auto',
  z
    .int()
    .refine((length) => length >= 1 && length <= 32_768 && Number.isInteger(Math.log2(length)), {
      error: `expected ${TABLE_LENGTH}, or "auto"`,
    }),
  TABLE_LENGTH,
);

const slowStart = z.strictObject({
  steps: z.array(whole(1, 100)).min(1).max(10),
  every: span,
});

export const frontend = z
  .strictObject({
    address: reload(address.optional()),
    addressFrom: reload(name.optional()),
    protocol: reload(z.enum(['tcp', 'udp', 'any']).optional()),
    port: reload(whole(0, 65_535).default(0)),
    encap: disruptive(encap.default('auto')),
    dscp: disruptive(whole(0, 63).optional()),
    srcIpSticky: disruptive(flag.default(false)),
    tableLength: disruptive(tableLength.default('auto')),
    flushOnDown: reload(flag.default(true)),
    unknown: reload(z.enum(['keep', 'zero']).default('keep')),
    allDown: reload(z.enum(['keep', 'zero']).default('keep')),
    activeWhile: reload(share.prefault('30%'), { unit: 'share' }),
    failBack: section({
      at: reload(share.optional(), { unit: 'share' }),
      holdFor: reload(duration.prefault('10s'), { unit: 'duration' }),
    }),
    panicBelow: reload(either('off', share, 'a percentage like 20%').default('off')),
    slowStart: reload(either('off', slowStart, '{ steps: [10, 50], every: 10s }').default('off')),
    priority: reload(whole(0, 65_535).default(100)),
    announce: reload(flag.default(true)),
    pools: z
      .array(pool)
      .min(1, { error: 'a frontend needs at least one pool' })
      .max(configLimits.poolsMax),
  })
  .transform((written) => ({
    ...written,
    failBack: {
      ...written.failBack,
      at: written.failBack.at ?? defaultFailBackAt(written.activeWhile),
    },
  }));
