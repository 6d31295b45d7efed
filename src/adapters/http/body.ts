/** Reads a request's body to its end, and no further than the bound. */
import type { IncomingMessage } from 'node:http';

/** `too-large` leaves the rest unread: the connection must be closed. */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<'whole' | 'too-large' | 'cut'> {
  return new Promise((resolve) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) return;
      request.pause();
      resolve('too-large');
    });
    request.on('end', () => resolve('whole'));
    request.on('error', () => resolve('cut'));
    request.on('close', () => resolve('cut'));
  });
}
