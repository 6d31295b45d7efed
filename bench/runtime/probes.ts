/** All probes by name. */
import { fullProbes } from '../diff/full.js';
import { oneVipProbes } from '../diff/one-vip.js';
import { recordProbes } from '../diff/records.js';
import { failoverProbes } from '../failover/run.js';
import { groupsProbes } from '../groups/fleet.js';
import { resyncProbes } from '../groups/resync.js';
import { tcpProbes } from '../health/tcp.js';
import { lbsyncProbes } from '../lbsync/sync.js';
import { outboxProbes } from '../outbox/probes.js';
import { peerProbes } from '../peers/peers.js';
import { tenancyProbes } from '../tenancy/catch-up.js';
import { crashProbes } from './crashes.js';
import { endToEndProbes } from './end-to-end.js';
import { memoryProbes } from './memory.js';
import type { Probe } from './probe.js';
import { spawnProbes } from './spawn.js';
import { killsProbes } from './store-kills.js';
import { loadProbes } from './store-load.js';
import { throughputProbes } from './throughput.js';
import { transportProbes } from './transport.js';

export const PROBES: Readonly<Record<string, Probe>> = {
  ...memoryProbes,
  ...throughputProbes,
  ...spawnProbes,
  ...crashProbes,
  ...transportProbes,
  ...endToEndProbes,
  ...killsProbes,
  ...loadProbes,
  ...tcpProbes,
  ...failoverProbes,
  ...groupsProbes,
  ...resyncProbes,
  ...peerProbes,
  ...fullProbes,
  ...recordProbes,
  ...oneVipProbes,
  ...lbsyncProbes,
  ...outboxProbes,
  ...tenancyProbes,
};
