/** The outcome of a three-way merge; fields in `conflicts` still have the page's own value. */
export type Merged<T> = { merged: T; conflicts: (keyof T)[] };

/**
 * Merge what this page edited with what somebody else saved since, field by field.
 *
 * `base` is what both began from. Only a field that both changed, to different values, is a conflict.
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
