/** Exit codes, one meaning each; docs/API.md lists them. */

export const EXIT = {
  ok: 0,
  /** `check`: parse error; `status`: degraded; `reload`: failed; `bench`: a must falls short. */
  failed: 1,
  /** `check`: semantic error; `reload`: partial; `plan`: changes. */
  semantic: 2,
  cannotStart: 3,
  notFound: 4,
  unreachable: 5,
  refused: 6,
  usage: 64,
  fatal: 70,
} as const;
