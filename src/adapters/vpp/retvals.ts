/**
 * What VPP's return values mean, in one place.
 *
 * Input: a retval other than 0 and what was being done. Output: the failure with its stable code.
 * [VP-11] -81 is "already there", -6 is "not there"; everything else is a refusal of that one
 * request and keeps VPP's number.
 */
import type { LbFailure } from '../../../machines/model/failures.js';

const EXISTS = -81;
const NO_SUCH_ENTRY = -6;

const NAMES: Readonly<Record<number, string>> = {
  [-1]: 'unspecified error',
  [-2]: 'no such interface',
  [NO_SUCH_ENTRY]: 'no such entry',
  [-7]: 'invalid value',
  [-70]: 'a length is not a power of two',
  [-73]: 'another VIP on this prefix has another encapsulation',
  [EXISTS]: 'exists already, or all-port and per-port VIPs would share a prefix',
  [-97]: 'the address family does not go with the encapsulation',
};

/** `undefined` for 0. */
export function failureOf(retval: number, doing: string): LbFailure | undefined {
  if (retval === 0) return undefined;
  const message = `${doing}: ${NAMES[retval] ?? 'refused'} (${retval})`;
  if (retval === EXISTS) return { code: 'LB_EXISTS', message };
  if (retval === NO_SUCH_ENTRY) return { code: 'LB_NO_SUCH_ENTRY', message };
  return { code: 'LB_REFUSED', retval, message };
}
