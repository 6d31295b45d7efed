/**
 * A pure function of an immutable value, worked out once for as long as somebody holds the value.
 *
 * A group asks the same questions about the same members many times within one event, and at every resync
 * in which nothing changed.
 */
export function oncePer<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known.value;
    const value = make(key);
    made.set(key, { value });
    return value;
  };
}
