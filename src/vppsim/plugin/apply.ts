/**
 * The lb plugin's one entrance: (state, request, uptime) → (state, return value, violations).
 * Pure; what a fatal violation leaves behind is nobody's business any more.
 */
import { unreachable } from '../../../machines/model/assert.js';
import { type ConfSet, KEEP, type LbRequest, type NatInterface } from './requests.js';
import { addAs, deleteAs, weighAs } from './servers.js';
import { done, type LbState, type Outcome, refused, retvals, undefinedBehaviour } from './state.js';
import { isPowerOfTwoOrZero } from './table.js';
import { addVip, deleteVip, flushVip } from './vips.js';

/** The one interface there is: `local0`. */
const LOCAL_INTERFACE = 0;

export function apply(state: LbState, request: LbRequest, nowS: number): Outcome {
  const outcome = applied(state, request, nowS);
  const stray = 'familyKnown' in request && !request.familyKnown && request.op !== 'vip.add';
  if (!stray) return outcome;
  const violation = undefinedBehaviour('an address of a family that does not exist');
  return { ...outcome, violations: [...outcome.violations, violation] };
}

function applied(state: LbState, request: LbRequest, nowS: number): Outcome {
  switch (request.op) {
    case 'conf.set':
      return setConf(state, request);
    case 'vip.add':
      return addVip(state, request, nowS);
    case 'vip.del':
      return deleteVip(state, request, nowS);
    case 'vip.flush':
      return flushVip(state, request);
    case 'as.add':
      return addAs(state, request, nowS);
    case 'as.weight':
      return weighAs(state, request);
    case 'as.del':
      return deleteAs(state, request, nowS);
    case 'nat.interface':
      return setNatInterface(state, request);
    default:
      return unreachable(request);
  }
}

/** Both addresses are always overwritten; the two numbers can be kept. */
function setConf(state: LbState, request: ConfSet): Outcome {
  const { ip4Source, ip6Source } = request;
  const stickyBucketsPerCore = kept(request.stickyBucketsPerCore, state.conf.stickyBucketsPerCore);
  const flowTimeoutS = kept(request.flowTimeoutS, state.conf.flowTimeoutS);
  if (!isPowerOfTwoOrZero(stickyBucketsPerCore)) return refused(state, retvals.invalidMemorySize);
  const conf = { ip4Source, ip6Source, stickyBucketsPerCore, flowTimeoutS };
  const what = 'no sticky buckets at all: the next packet reads outside the table';
  return done({ ...state, conf }, stickyBucketsPerCore === 0 ? [undefinedBehaviour(what)] : []);
}

function kept(wanted: number, current: number): number {
  return wanted === KEEP ? current : wanted;
}

/** A counted feature: needless disables are answered 0 and change nothing. */
function setNatInterface(state: LbState, request: NatInterface): Outcome {
  const { family, enable, interfaceIndex } = request;
  if (interfaceIndex !== LOCAL_INTERFACE) return refused(state, retvals.invalidInterface);
  const count = Math.max(0, state.natInterfaces[family] + (enable ? 1 : -1));
  return done({ ...state, natInterfaces: { ...state.natInterfaces, [family]: count } });
}
