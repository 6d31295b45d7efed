/** What a frontend is asked for the sake of a plan. */
import type { FrontendSpec } from './desired.js';

/** What would it want under this spec (`null`: removed)? Changes nothing. */
export interface OutlookQuestion {
  readonly type: 'frontend.outlook';
  readonly spec: FrontendSpec | null;
  /** States of backends that are known elsewhere, by name. */
  readonly expected: Readonly<Record<string, string>>;
}
