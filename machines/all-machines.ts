/**
 * Every machine of the node by name, in the order of the loop from a tenant to the feed: what
 * `switchyard machines` prints.
 */
import type { AnyStateMachine } from 'xstate';
import { agentMachine } from './agent.js';
import { announcementMachine } from './announcement.js';
import { backendMachine } from './backend.js';
import { blockMachine } from './block.js';
import { frontendMachine } from './frontend.js';
import { groupMachine } from './group.js';
import { guardMachine } from './guard.js';
import { identityMachine } from './identity.js';
import { instanceMachine } from './instance.js';
import { lbsyncMachine } from './lbsync.js';
import { leaseMachine } from './lease.js';
import { outboxMachine } from './outbox.js';
import { overrideMachine } from './override.js';
import { poolMachine } from './pool.js';
import { reloadMachine } from './reload.js';
import { resourceMachine } from './resource.js';
import { suspicionMachine } from './suspicion.js';
import { sweepMachine } from './sweep.js';
import { tenancyMachine } from './tenancy.js';
import { tenantMachine } from './tenant.js';

export interface NamedMachine {
  readonly name: string;
  readonly machine: AnyStateMachine;
  /** One sentence. */
  readonly description: string;
}

const named = (machine: AnyStateMachine, description: string): NamedMachine => ({
  name: machine.id,
  machine,
  description,
});

export const ALL_MACHINES: readonly NamedMachine[] = [
  named(tenancyMachine, 'learns from the tenant manager who the tenants are'),
  named(resourceMachine, 'the lane of one project or org of the tenant manager'),
  named(tenantMachine, 'what one tenant is to have, and whether it has it'),
  named(groupMachine, 'keeps as many members as wanted and replaces those that should go'),
  named(instanceMachine, 'one member from the wish for it to its last trace'),
  named(identityMachine, 'which key speaks for one instance'),
  named(agentMachine, 'what the agent on one instance is worth, and what its silence means'),
  named(backendMachine, 'whether one address may receive new flows'),
  named(frontendMachine, 'one VIP: its pools, members and weights'),
  named(overrideMachine, 'keeps what operators ordered against one configuration'),
  named(announcementMachine, "carries a frontend's word to the operator's announce program"),
  named(suspicionMachine, 'whether most backends fell silent at once: then we doubt ourselves'),
  named(guardMachine, 'holds removals beyond a share of all until an operator confirms them'),
  named(sweepMachine, 'looks for what exists at a provider while nobody owns it'),
  named(poolMachine, 'gives each frontend that asks one address of a range'),
  named(blockMachine, 'has the books of some addresses of a pool'),
  named(lbsyncMachine, "makes VPP's load balancer match the wanted VIPs"),
  named(reloadMachine, 'turns the configuration file into what the node wants'),
  named(leaseMachine, 'whether this node decides for its fleet'),
  named(outboxMachine, 'carries decisions from the store to the feed'),
];
