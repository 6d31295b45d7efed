/**
 * What every prober keeps, whatever it probes with. Run on the real adapter against servers on loopback
 * and on the scripted fake: a fake that is looser than the real thing would judge nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthCheckSpec } from '../../machines/model/desired.js';
import type { Prober, ProbeTarget } from '../../src/ports/prober.js';

/** How a backend behaves. A `silent` one accepts connections and never says a word. */
export type Behaviour =
  | { readonly kind: 'answers'; readonly status: number; readonly body: string }
  | { readonly kind: 'refuses' | 'silent' | 'hangs-up' | 'breaks-off' | 'talks-nonsense' };

export interface ProberLab {
  readonly prober: Prober;
  target(behaviour: Behaviour): Promise<ProbeTarget>;
  close(): Promise<void>;
}

export const CHECK: HealthCheckSpec = {
  name: 'check',
  type: 'http',
  path: '/healthz',
  status: [{ from: 200, to: 299 }],
  insecureSkipVerify: false,
  intervalMs: 1_000,
  fastIntervalMs: 1_000,
  downIntervalMs: 1_000,
  timeoutMs: 10_000,
  rise: 2,
  fall: 3,
  snap: true,
  jitter: 0,
};

const answers = (status: number, body = ''): Behaviour => ({ kind: 'answers', status, body });
const quick = { timeoutMs: 60 };
const matches = { bodyMatches: '"ok": *true' };

interface Row {
  readonly rule: string;
  readonly behaviour: Behaviour;
  readonly check: Partial<HealthCheckSpec>;
  readonly code: string;
  readonly passed?: true;
  readonly positive?: true;
}

const rows: readonly Row[] = [
  { rule: 'HE-31', behaviour: answers(204), check: {}, code: 'L7OK', passed: true },
  { rule: 'HE-31', behaviour: answers(500), check: {}, code: 'L7STS' },
  { rule: 'HE-31', behaviour: answers(302), check: {}, code: 'L7STS' },
  {
    rule: 'HE-31',
    behaviour: answers(302),
    check: {
      status: [
        { from: 200, to: 200 },
        { from: 300, to: 399 },
      ],
    },
    code: 'L7OK',
    passed: true,
  },
  {
    rule: 'HE-32',
    behaviour: answers(200, '{"ok":  true}'),
    check: matches,
    code: 'L7OK',
    passed: true,
  },
  { rule: 'HE-32', behaviour: answers(200, '{"ok": false}'), check: matches, code: 'L7RSP' },
  { rule: 'HE-32', behaviour: { kind: 'breaks-off' }, check: matches, code: 'L7RSP' },
  { rule: 'HE-31', behaviour: { kind: 'hangs-up' }, check: {}, code: 'L7RSP' },
  { rule: 'HE-31', behaviour: { kind: 'talks-nonsense' }, check: {}, code: 'L7RSP' },
  { rule: 'HE-33', behaviour: { kind: 'silent' }, check: quick, code: 'L7TOUT' },
  {
    rule: 'HE-33',
    behaviour: { kind: 'silent' },
    check: { ...quick, type: 'https' },
    code: 'L6TOUT',
  },
  { rule: 'HE-31', behaviour: { kind: 'talks-nonsense' }, check: { type: 'https' }, code: 'L6RSP' },
  { rule: 'HE-30', behaviour: { kind: 'refuses' }, check: {}, code: 'L4CON', positive: true },
  {
    rule: 'HE-30',
    behaviour: { kind: 'refuses' },
    check: { type: 'tcp' },
    code: 'L4CON',
    positive: true,
  },
  {
    rule: 'HE-30',
    behaviour: { kind: 'refuses' },
    check: { type: 'https' },
    code: 'L4CON',
    positive: true,
  },
  {
    rule: 'HE-31',
    behaviour: { kind: 'silent' },
    check: { type: 'tcp' },
    code: 'L4OK',
    passed: true,
  },
  { rule: 'HE-38', behaviour: answers(200), check: { type: 'icmp' }, code: 'L3OK', passed: true },
  { rule: 'HE-34', behaviour: answers(200), check: { netns: 'no-such' }, code: 'SOCKERR' },
  { rule: 'HE-34', behaviour: answers(200), check: { bodyMatches: '(' }, code: 'UNSUPPORTED' },
];

export function proberContract(name: string, open: () => Promise<ProberLab>): void {
  for (const { rule, behaviour, check, code, passed, positive } of rows) {
    const type = check.type ?? 'http';
    const asked = [type, check.bodyMatches, check.netns].filter(Boolean).join(' ');
    const status = behaviour.kind === 'answers' ? ` ${behaviour.status} ${behaviour.body}` : '';
    test(`[${rule}] ${name}: ${asked} of one that ${behaviour.kind}${status} is ${code}`, async () => {
      const lab = await open();
      try {
        const target = await lab.target(behaviour);
        const result = await lab.prober.probe(target, { ...CHECK, ...check });
        assert.equal(result.code, code, result.detail);
        assert.equal(result.passed, passed === true);
        assert.equal(result.positive, positive === true);
        assert.notEqual(result.detail, '');
        assert.ok(Number.isInteger(result.durationMs) && result.durationMs >= 0);
      } finally {
        await lab.close();
      }
    });
  }
}
