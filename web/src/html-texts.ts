import { t, type Word } from "./shared/i18n/en-pages.ts";

/** Replace each `{{word}}` in a page's HTML with its text from the catalogue. Throws if the catalogue lacks it. */
export const fill = (html: string): string =>
  html.replace(/\{\{(\w+)\}\}/g, (_, word: string) => {
    const text: string | undefined = t(word as Word);
    if (text === undefined) throw new Error(`The catalogue has no text "${word}".`);
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  });
