/**
 * Schema of tenants and tenancy: groups, templates, providers, and what a project gets.
 */
import { z } from 'zod';
import { SIMULATED_CALLS } from '../../machines/model/provider-script.js';
import { WINDOW_MS_MAX } from '../policy/cron.js';
import { defaultMaxSize } from './follows.js';
import { configLimits } from './limits.js';
import { reload, restart, section } from './notes.js';
import {
  cron,
  duration,
  either,
  flag,
  headerName,
  headerValue,
  name,
  path,
  port,
  rate,
  share,
  span,
  text,
  url,
  whole,
} from './scalars.js';
import { frontend } from './schema-frontends.js';

const durationOrOff = either('off', span, 'a duration like 30d').default('off');
const BUDGET_MAX = 'expected a whole number of 1 or more, or a percentage like 10%';
const budgetMax = z.union(
  [
    whole(1, configLimits.groupSizeMax),
    z.string().regex(/^([1-9]\d?|100)%$/, { error: BUDGET_MAX }),
  ],
  { error: BUDGET_MAX },
);

const WINDOWS = 'a list of windows like { cron: "0 2 * * *", duration: 2h }, times in UTC';
const windowSpan = span.refine((durationMs) => durationMs <= WINDOW_MS_MAX, {
  error: 'a window is at most 31d long',
});
const windows = z
  .array(z.strictObject({ cron, duration: windowSpan }))
  .min(1, { error: 'a list without a window would never let anything be replaced' })
  .max(100);

const textMap = z.record(text, z.string({ error: 'expected text (put it in quotes)' }));
const command = z.array(text).min(1, { error: 'empty command' }).max(1_000);

export const group = z
  .strictObject({
    template: reload(name),
    size: reload(whole(0, configLimits.groupSizeMax).default(1)),
    maxSize: reload(whole(1, configLimits.groupSizeMax).optional()),
    health: section({
      source: reload(z.enum(['probe', 'agent', 'both']).default('probe')),
      grace: reload(duration.prefault('30s'), { unit: 'duration' }),
      agentInterval: reload(span.prefault('60s'), { unit: 'duration' }),
      missedReports: reload(whole(1, 1_000).default(3)),
      replaceAfter: reload(duration.prefault('5m'), { unit: 'duration' }),
    }),
    backend: z
      .strictObject({ probePort: reload(port.optional()), healthCheck: reload(name.optional()) })
      .optional(),
    drain: section({
      timeout: reload(duration.prefault('5m'), { unit: 'duration' }),
      holdMax: reload(duration.prefault('15m'), { unit: 'duration' }),
    }),
    replace: reload(z.enum(['create-first', 'delete-first']).default('create-first')),
    budget: section({
      max: reload(budgetMax.default(1)),
      windows: reload(either('always', windows, WINDOWS).default('always')),
    }),
    breaker: section({ unhealthyAbove: reload(share.prefault('40%'), { unit: 'share' }) }),
    expiry: section({
      eligibleAge: reload(durationOrOff, { unit: 'duration' }),
      forcedAge: reload(durationOrOff, { unit: 'duration' }),
      onDemandAge: reload(durationOrOff, { unit: 'duration' }),
    }),
  })
  .transform((written) => {
    return { ...written, maxSize: written.maxSize ?? defaultMaxSize(written.size) };
  });

export const groups = z.record(name, group).prefault({});

const variable = text.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: 'expected the name of an environment variable, e.g. CLOUD_TOKEN',
});

/** What a simulated provider is to do slowly, or wrong. */
const script = z.strictObject({
  latency: z.partialRecord(z.enum(SIMULATED_CALLS), reload(duration)).prefault({}),
  errors: z
    .array(
      z.strictObject({
        call: z.enum(SIMULATED_CALLS),
        code: z.enum(['not-found', 'already-exists', 'quota', 'unavailable', 'permanent']),
        every: whole(1, 1_000_000).default(1),
        from: whole(1, 1_000_000).default(1),
        times: whole(1, 1_000_000).optional(),
        lost: flag.default(false),
      }),
    )
    .max(100)
    .default([]),
  spot: z.strictObject({ after: reload(span), warning: reload(duration) }).optional(),
  diesAfter: reload(span.optional(), { unit: 'duration' }),
});

export const provider = z.strictObject({
  driver: reload(z.enum(['process', 'exec', 'simulated'])),
  command: reload(command.optional(), { opaque: true }),
  timeout: reload(span.prefault('60s'), { unit: 'duration' }),
  pollInterval: reload(span.prefault('15s'), { unit: 'duration' }),
  passEnvironment: reload(z.array(variable).max(100).default([])),
  script: reload(script.optional(), { opaque: true }),
  createRate: reload(either('off', rate, 'a rate like 10/s').prefault('10/s')),
  maxInstances: reload(whole(1, 1_000_000).default(1_000)),
  concurrency: reload(whole(1, 1_000).default(8)),
});

export const template = z.strictObject({
  provider: reload(name),
  spec: reload(z.record(z.string(), z.json(), { error: 'expected a mapping' }).default({}), {
    opaque: true,
  }),
  vars: reload(textMap.default({}), { opaque: true }),
});

/** What one new project (or org) gets. Group references are its own. */
const blueprint = z.strictObject({ groups, frontends: z.record(name, frontend).prefault({}) });

export const tenant = z.strictObject({ groups });

export const tenancy = z
  .strictObject({
    url: restart(url),
    controller: restart(text.default('switchyard')),
    pollInterval: reload(span.prefault('5s'), { unit: 'duration' }),
    pollLimit: reload(whole(1, 1_000).default(100)),
    initialBackoff: reload(span.prefault('1s'), { unit: 'duration' }),
    maxBackoff: reload(span.prefault('30s'), { unit: 'duration' }),
    httpTimeout: reload(span.prefault('30s'), { unit: 'duration' }),
    laneBackoff: section({
      base: reload(span.prefault('5s'), { unit: 'duration' }),
      max: reload(span.prefault('5m'), { unit: 'duration' }),
    }),
    ordering: reload(z.enum(['per-resource', 'strict']).default('per-resource')),
    undoWindow: reload(duration.prefault('5m'), { unit: 'duration' }),
    auth: section({
      token: reload(headerValue.optional(), { secret: true }),
      tokenHeader: reload(headerName.default('X-Internal-Token')),
      bearer: reload(headerValue.optional(), { secret: true }),
    }),
    tls: section({
      ca: reload(path.optional()),
      cert: reload(path.optional()),
      key: reload(path.optional()),
    }),
    onProject: blueprint.prefault({}),
    onOrg: blueprint.prefault({}),
  })
  .optional();
