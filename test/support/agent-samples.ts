/** What is said to an agent, for walks through its machine. */
import type { AgentEvent } from '../../machines/agent.js';
import type { Meta } from '../../machines/model/effects.js';
import type { InstanceId } from '../../machines/model/ids.js';

/** Without what the runtime adds. */
type Unstamped<E> = E extends { readonly meta: Meta } ? Omit<E, 'meta'> : never;

const agentSpec = {
  instance: 'i-b1ce-0190aaaabbbb7cccddddeeeeffff000000' as InstanceId,
  provider: 'local',
  providerId: 'p-1',
  intervalMs: 60_000,
  missedReports: 3,
};

export const agent: readonly Unstamped<AgentEvent>[] = [
  { type: 'activated', children: [] },
  { type: 'agent.desired', spec: agentSpec },
  { type: 'agent.registered' },
  ...[true, false].flatMap((healthy) =>
    [1, 2].map((seq) => ({
      type: 'agent.reported' as const,
      report: { boot: 1, seq, healthy, detail: '', ...(seq === 2 ? { notice: { id: 'n' } } : {}) },
    })),
  ),
  { type: 'agent.closed', boot: 1 },
  ...(['running', 'terminal', 'gone'] as const).map((state) => ({
    type: 'provider.status' as const,
    providerId: 'p-1',
    state,
  })),
  {
    type: 'provider.statusFailed',
    providerId: 'p-1',
    failure: { code: 'unavailable', message: 'no' },
  },
  { type: 'agent.removed' },
];
