/**
 * Every probe to where it can be made: in this process, or, for ICMP and for other network namespaces,
 * by a helper process, one for each namespace.
 */
import type { Prober } from '../../ports/prober.js';
import { createHelper, type Helper } from './helper/client.js';
import { openProber, type ProberOptions } from './prober.js';

export interface RoutedProber extends Prober {
  /** Ends the helpers; call when nothing is probed any more. */
  close(): void;
}

export function openRoutedProber(options: Omit<ProberOptions, 'icmp'>): RoutedProber {
  const near = openProber(options);
  const helpers = new Map<string, Helper>();

  const helperIn = (netns: string | undefined): Helper => {
    const known = helpers.get(netns ?? '');
    if (known !== undefined) return known;
    const { clock, userAgent } = options;
    const helper = createHelper({ clock, userAgent, ...(netns === undefined ? {} : { netns }) });
    helpers.set(netns ?? '', helper);
    return helper;
  };

  return {
    probe: (target, check) => {
      const far = check.type === 'icmp' || check.netns !== undefined;
      return far ? helperIn(check.netns).probe(target, check) : near.probe(target, check);
    },
    close: () => {
      for (const helper of helpers.values()) helper.close();
      helpers.clear();
    },
  };
}
