/** Ends of server streams, as grpc-js wants them. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { CallRefusal } from './refusals.js';

/** An `error` event is how grpc-js ends a stream with a status; destroying it would send none. */
export function endStream<Q, A>(stream: ServerWritableStream<Q, A>, refusal: CallRefusal): void {
  const { code, message } = refusal;
  stream.emit('error', Object.assign(new Error(message), { code, details: message }));
}
