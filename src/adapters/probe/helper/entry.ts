/**
 * A process that probes for another: in the network namespace it was started in, and by ICMP. It takes
 * requests and gives results over Node's IPC channel, and ends with it.
 */
import { systemClock } from '../../system/clock.js';
import { fping } from '../icmp/fping.js';
import { createPinger } from '../icmp/pinger.js';
import { type Icmp, openProber } from '../prober.js';
import type { HelperAnswer, HelperRequest } from './protocol.js';

const pinger = createPinger();

const icmp: Icmp = async (current, address, check) =>
  (await pinger.ping(current, address, check)) ??
  fping(current, address, { check, trouble: pinger.trouble ?? 'no icmp socket' });

const [userAgent = 'switchyard'] = process.argv.slice(2);
const prober = openProber({ clock: systemClock(), userAgent, icmp });

process.on('message', ({ id, target, check }: HelperRequest) => {
  void prober.probe(target, check).then((result) => {
    const answer: HelperAnswer = { id, result };
    if (process.connected) process.send?.(answer);
  });
});
process.on('disconnect', () => process.exit(0));
// The terminal's interrupt is for whoever we work for.
process.on('SIGINT', () => undefined);
