/** The text without what is over the limit, counted in code points; null and undefined are none. */
export const shorten = (text: unknown, limit: number): string => {
  if (text === null || text === undefined) return "";
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- a host page may pass anything
  return [...String(text)].slice(0, limit).join("");
};

/** As the attribute `maxlength`, which counts UTF-16 units: an emoji would count as two and more. */
export const limited =
  (limit: number) =>
  ({ target }: Event): void => {
    const field = target as HTMLInputElement | HTMLTextAreaElement;
    const text = shorten(field.value, limit);
    if (text !== field.value) field.value = text;
  };

/** The text without lone surrogates, which UTF-8 and therefore the server do not know. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "");
