/**
 * Words of and about an identity: which key speaks for an instance. Told by whoever serves agents, after it
 * has seen the token or the certificate.
 */

export type IdentityMessage =
  /** A token for this instance was shown with this key. */
  | { readonly type: 'identity.enrol'; readonly key: string }
  /** Somebody who holds this key, certified, asks whether it still counts. */
  | { readonly type: 'identity.check'; readonly key: string }
  /** An operator takes it away for good. */
  | { readonly type: 'identity.revoke'; readonly reason: string }
  | IdentityDown;

/** Its instance takes no more messages. */
export interface IdentityDown {
  readonly type: 'down';
  readonly reason: string;
}
