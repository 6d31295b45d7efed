/**
 * The next context: a copy of the last with some fields changed.
 *
 * V8 makes an object from a literal several times as fast as it spreads one, and most steps do little
 * else. So the literal is written out, as source text, for each shape of context that is met: few,
 * because a machine makes its contexts in one place. What is written first makes sure that the context
 * has just the fields it was written for; others go on to the next, and past the last a context is
 * spread. Of what others have a say in, only field names get into the text, as JSON strings.
 *
 * Rule: [RT-61] a revision is what XState's `assign` makes of the same context.
 */
import type { JsonObject } from '../../../machines/model/json.js';

/** `args` and `params` are handed on to what computes a field. */
type Make = (context: JsonObject, args: object, params: unknown) => JsonObject;
type Compute = (args: object, params: unknown) => unknown;
/** `undefined`: the context has another shape, and nothing has been computed. */
type Written = (...input: Parameters<Make>) => JsonObject | undefined;

/** Each more is one more look at every context of the later shapes. */
const SHAPES_MAX = 4;
/** A context with more is a table of something, and its fields come and go. */
const FIELDS_MAX = 64;

export interface Revision {
  readonly of: Make;
}

/** What changes, by field; a function computes it. Nothing: a copy. */
export function createRevision(changes: object): Revision {
  const keys = Object.keys(changes);
  const values: readonly unknown[] = Object.values(changes);
  const written: Written[] = [];

  const spread: Make = (context, args, params) => {
    const next: Record<string, unknown> = Object.assign({}, context);
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      next[key] = typeof value === 'function' ? (value as Compute)(args, params) : value;
    }
    return next as JsonObject;
  };

  const learn = (context: JsonObject): void => {
    if (written.length === SHAPES_MAX) return;
    const fields = [...Object.keys(context), ...keys];
    // What every object inherits looks as if it were a field.
    const isPlain = !fields.some((key) => key in Object.prototype);
    if (isPlain && fields.length <= FIELDS_MAX) {
      written.push(write(Object.keys(context), keys, values));
    }
  };

  return {
    of: (context, args, params) => {
      for (let index = 0; index < written.length; index += 1) {
        const next = written[index]?.(context, args, params);
        if (next !== undefined) return next;
      }
      learn(context);
      return spread(context, args, params);
    },
  };
}

function write(
  shape: readonly string[],
  keys: readonly string[],
  values: readonly unknown[],
): Written {
  const old = new Map(shape.map((key, index) => [key, `old${index}`]));
  const next = new Map([...old, ...keys.map((key, index) => [key, `new${index}`] as const)]);
  const source = [
    'return (context, args, params) => {',
    'let fields = 0;',
    'for (const _ in context) fields += 1;',
    `if (fields !== ${shape.length}) return undefined;`,
    ...[...old].flatMap(([key, name]) => [
      `const ${name} = context[${JSON.stringify(key)}];`,
      `if (${name} === undefined && !(${JSON.stringify(key)} in context)) return undefined;`,
    ]),
    ...values.map((value, index) => {
      const given = `values[${index}]`;
      return `const new${index} = ${typeof value === 'function' ? `${given}(args, params)` : given};`;
    }),
    `return { ${[...next].map(([key, name]) => `${JSON.stringify(key)}: ${name}`).join(', ')} };`,
    '};',
  ];
  return new Function('values', source.join('\n'))(values) as Written;
}
