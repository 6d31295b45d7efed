/** A store channel over one end of a real MessageChannel, through the codec, as threads have it. */
import type { MessagePort } from 'node:worker_threads';
import type { StoreChannel } from '../../src/adapters/threads/remote-store.js';
import { createCodec } from '../../src/wire/codec.js';
import { decodeFrame, encodeFrame } from '../../src/wire/link-frame.js';

export function portChannel(port: MessagePort): StoreChannel {
  const codec = createCodec();
  return {
    post: (frame) => {
      const encoded = encodeFrame(codec, frame);
      if (!encoded.ok) return encoded;
      port.postMessage(encoded.value);
      return { ok: true, value: undefined };
    },
    onFrame: (listener) =>
      void port.on('message', (bytes: unknown) => {
        const decoded = decodeFrame(codec, bytes);
        if (!decoded.ok) throw new Error(decoded.failure.message);
        listener(decoded.value);
      }),
    onClose: (listener) => void port.on('close', listener),
  };
}
