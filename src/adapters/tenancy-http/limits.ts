/** Bounds of one exchange with the tenant manager, which is as foreign as any network. */

/** A replay is not paged: this is the largest inventory that is read. */
export const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;

/** Connections to the tenant manager at once: a batch of statuses beside a question. */
export const CONNECTIONS_MAX = 20;
export const IDLE_CONNECTION_MS = 60_000;

/** Of a refusal's text, what is shown to operators. */
export const REFUSAL_LENGTH_MAX = 200;

/** As the tenant manager limits them. */
export const RESOURCE_NAME_LENGTH_MAX = 253;
