/** Return at most `limit` code points of the text; null and undefined give an empty text. */
export const shorten = (text: unknown, limit: number): string => {
  if (text === null || text === undefined) return "";
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- a host page may pass anything
  return [...String(text)].slice(0, limit).join("");
};

/**
 * Return an `input` listener that limits a field to this many code points.
 *
 * The attribute `maxlength` counts UTF-16 code units, by which one emoji is two or more.
 */
export const limited =
  (limit: number) =>
  ({ target }: Event): void => {
    const field = target as HTMLInputElement | HTMLTextAreaElement;
    const text = shorten(field.value, limit);
    if (text !== field.value) field.value = text;
  };

/** Return the text without lone surrogates, which cannot be encoded as UTF-8. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "");
