/**
 * A pure function of an immutable value that remembers its last answer.
 *
 * A group asks the same questions about the same members many times within one event. A map of all answers
 * would be kept by the garbage collector at a higher price than the questions.
 */
export function oncePer<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  let last: { readonly key: Key; readonly value: Value } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}
