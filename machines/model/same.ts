/** Whether two flat records say the same: every field a plain word, number or yes and no. */
export function isSameRecord<T extends object>(one: T, other: T): boolean {
  const fields = Object.keys(one) as (keyof T)[];
  if (fields.length !== Object.keys(other).length) return false;
  return fields.every((field) => one[field] === other[field]);
}

/** Whether two values would be the same JSON, whatever the order of their fields. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object') return false;
  if (one === null || other === null || Array.isArray(one) !== Array.isArray(other)) return false;
  return isWithin(one, other) && isWithin(other, one);
}

/** Fields without a value are none. */
function isWithin(one: object, other: object): boolean {
  for (const field in one) {
    const value = one[field as keyof typeof one];
    if (value !== undefined && !isSameJson(value, other[field as keyof typeof other])) return false;
  }
  return true;
}
