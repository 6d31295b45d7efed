/** Plain data: what snapshots, messages, journal rows and feed events are made of. */

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}
