/** Result of a three-way merge. Fields in `conflicts` have this page's value. */
export type Merged<T> = { merged: T; conflicts: (keyof T)[] };

/**
 * Merge the edits of this page with what somebody else has saved since, field by field.
 *
 * `base` is the version that both started from. A conflict is a field that both have changed, to different values.
 */
export const merge = <T extends object>(base: T, mine: T, theirs: T): Merged<T> => {
  const fields = Object.keys(theirs) as (keyof T)[];
  const isChanged = (one: T, field: keyof T) => one[field] !== base[field];
  const merged = { ...theirs };
  for (const field of fields) if (isChanged(mine, field)) merged[field] = mine[field];
  const conflicts = fields.filter(
    (field) => isChanged(mine, field) && isChanged(theirs, field) && mine[field] !== theirs[field],
  );
  return { merged, conflicts };
};
