/** The text without what is over the limit, counted in code points; null and undefined are none. */
export const shorten = (text: unknown, limit: number): string => {
  if (text === null || text === undefined) return "";
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- a host page may pass anything
  return [...String(text)].slice(0, limit).join("");
};
