/** Durations on the command line, as in the configuration: `500ms 5s 1m 2h 30d`. */
import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ''];
  if (match?.[1] === undefined || unit === undefined) {
    throw new InvalidArgumentError(`'${text}' is not a duration: write 500ms, 5s, 1m, 2h or 30d`);
  }
  return Number(match[1]) * unit;
}
