/** Whether two flat records say the same: every field a plain word, number or yes and no. */
export function isSameRecord<T extends object>(one: T, other: T): boolean {
  const fields = Object.keys(one) as (keyof T)[];
  if (fields.length !== Object.keys(other).length) return false;
  return fields.every((field) => one[field] === other[field]);
}
