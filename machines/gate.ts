/** One line of an answer to "why not": a gate between wish and deed, and what it says now. */
export interface Gate {
  readonly gate: string;
  readonly state: 'open' | 'holds';
  readonly says: string;
}

export function gate(
  name: string,
  holds: boolean,
  says: string,
): Gate & { [field: string]: string } {
  return { gate: name, state: holds ? 'holds' : 'open', says };
}
