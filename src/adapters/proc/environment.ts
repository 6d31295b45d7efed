/**
 * What a program that we start sees of our own environment: a short list, and what is passed on by name.
 * The daemon's environment holds the secrets its config is expanded from.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
] as const;

export function inherited(
  environment: Environment,
  alsoPassed: readonly string[] = [],
): Record<string, string> {
  return Object.fromEntries(
    [...INHERITED, ...alsoPassed].flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
