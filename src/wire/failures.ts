/**
 * Why bytes are no frame, or a frame cannot be sent. Values: nothing in src/wire throws at a peer.
 */
import { fail } from '../../machines/model/result.js';

export interface WireFailure {
  /**
   * malformed  not what it should be            too-large  over FRAME_BYTES_MAX
   * version    the peer speaks another version or knows other shapes
   */
  readonly code: 'malformed' | 'too-large' | 'version';
  readonly message: string;
}

export function malformed(message: string): {
  readonly ok: false;
  readonly failure: WireFailure;
} {
  return fail({ code: 'malformed', message });
}
