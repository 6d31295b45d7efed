/**
 * Outcomes of a probe and their codes, which are HAProxy's.
 *
 *   L3OK L3TOUT L3CON    ICMP (HAProxy has none): answered / no answer / unreachable
 *   L4OK L4TOUT L4CON    connected / no answer / refused or unreachable
 *   L6TOUT L6RSP         TLS: no answer / failed
 *   L7OK L7TOUT          HTTP: as wanted / no answer
 *   L7STS L7RSP          HTTP: another status / no sound answer, or not the wanted body
 *   SOCKERR UNSUPPORTED  our own trouble: says nothing about the backend
 *
 * Rules: [HE-30] refused by a host that is up is the one positive proof of death.
 */
export type Layer = 'L3' | 'L4' | 'L6' | 'L7';

export interface Outcome {
  readonly passed: boolean;
  readonly code: string;
  readonly detail: string;
  readonly positive: boolean;
}

export function passed(code: string, detail: string): Outcome {
  return { passed: true, code, detail, positive: false };
}

export function failed(code: string, detail: string): Outcome {
  return { passed: false, code, detail, positive: false };
}

/** Codes of the host's own shortages and refusals, before a packet left. */
const OUR_OWN: readonly string[] = [
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EACCES',
  'EPERM',
  'EINVAL',
];

/** A socket's error while it was being reached. */
export function refusalOf(error: Error, layer: 'L3' | 'L4' = 'L4'): Outcome {
  const code = codeOf(error);
  if (OUR_OWN.includes(code)) return failed('SOCKERR', error.message);
  if (code === 'ECONNREFUSED') return { ...failed(`${layer}CON`, error.message), positive: true };
  if (code === 'ETIMEDOUT') return failed(`${layer}TOUT`, error.message);
  return failed(`${layer}CON`, error.message);
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
