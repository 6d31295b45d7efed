/**
 * The Control service for callers from elsewhere: only operators of all tenants, each in its own name.
 *
 * Rules: [ID-16] every call needs an operator's certificate; [ID-24] what is ordered over TLS is kept under the
 * name in the certificate, whatever the request says.
 */
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { AnyCall } from './agent-service.js';
import { clientOf } from './definition.js';
import type { Peer } from './peer.js';
import { type CallRefusal, refusedWith } from './refusals.js';
import { endStream } from './streams.js';

type Request = Record<string, unknown>;

const NO_OPERATOR = refusedWith(
  'UNAUTHENTICATED',
  "ID-16: an operator's certificate is needed here",
);
const OF_A_TENANT = refusedWith(
  'PERMISSION_DENIED',
  'ID-17: this certificate is for one tenant: use the Operator service',
);

export function guardedControl(
  service: UntypedServiceImplementation,
  peerOf: (call: AnyCall) => Peer,
): UntypedServiceImplementation {
  const methods = clientOf('Control').service;
  const guarded = Object.entries(methods).map(([name, { responseStream }]) => [
    name,
    responseStream
      ? streaming(service[name] as handleServerStreamingCall<Request, unknown>, peerOf)
      : unary(service[name] as handleUnaryCall<Request, unknown>, peerOf),
  ]);
  return Object.fromEntries(guarded) as UntypedServiceImplementation;
}

function unary(handle: handleUnaryCall<Request, unknown>, peerOf: (call: AnyCall) => Peer) {
  return (call: ServerUnaryCall<Request, unknown>, done: sendUnaryData<unknown>): void => {
    const refusal = takeIn(call, peerOf);
    if (refusal === undefined) handle(call, done);
    else done(refusal);
  };
}

function streaming(
  handle: handleServerStreamingCall<Request, unknown>,
  peerOf: (call: AnyCall) => Peer,
) {
  return (call: ServerWritableStream<Request, unknown>): void => {
    const refusal = takeIn(call, peerOf);
    if (refusal === undefined) handle(call);
    else endStream(call, refusal);
  };
}

function takeIn(
  call: AnyCall & { readonly request: Request },
  peerOf: (call: AnyCall) => Peer,
): CallRefusal | undefined {
  const peer = peerOf(call);
  if (peer.kind !== 'operator') return NO_OPERATOR;
  if (peer.tenant !== undefined) return OF_A_TENANT;
  if ('owner' in call.request) call.request['owner'] = peer.name;
  return undefined;
}
