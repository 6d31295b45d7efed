/** What a call of an agent or an operator program is refused with: a gRPC status and one sentence. */
import { status } from '@grpc/grpc-js';
import type { Refusal } from '../../../machines/model/failures.js';

export interface CallRefusal {
  readonly code: number;
  readonly message: string;
}

export function refusedWith(code: keyof typeof status, message: string): CallRefusal {
  return { code: status[code], message };
}

/** A refusal of an actor, with its rule in front. */
export function refusedBy({ code, rule, message }: Refusal): CallRefusal {
  if (code === 'not-found') return refusedWith('NOT_FOUND', message);
  return refusedWith('FAILED_PRECONDITION', `${rule}: ${message}`);
}
