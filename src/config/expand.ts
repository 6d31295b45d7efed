/**
 * `${NAME}` in one scalar, from the environment of the reading process. One pass: what a variable
 * contains is never expanded again. `$${` stands for a plain `${`.
 */
import { fail, ok, type Result } from '../../machines/model/result.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const MALFORMED = `"\${" starts a variable: write \${NAME}, or $\${ for a plain "\${"`;
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g;

export function mentionsVariable(text: string): boolean {
  return text.includes('${');
}

/** Fails with one sentence that names every variable that is missing. */
export function expandVariables(text: string, env: Environment): Result<string, string> {
  const unset = new Set<string>();
  let malformed = false;
  const expanded = text.replaceAll(REFERENCE, (reference, name: string | undefined) => {
    if (reference === '$${') return '${';
    if (name === undefined) {
      malformed = true;
      return reference;
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value === undefined) unset.add(name);
    return value ?? '';
  });
  if (malformed) return fail(MALFORMED);
  if (unset.size === 0) return ok(expanded);
  const names = [...unset].join(', ');
  const subject = unset.size === 1 ? `variable ${names} is` : `variables ${names} are`;
  return fail(`environment ${subject} not set (write $\${ for a plain "\${")`);
}
