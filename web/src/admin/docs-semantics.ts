import { t } from "../shared/i18n/en-pages";

/** Text of an attribute for the elements of a selector; null removes the attribute. */
type Correction = [selector: string, attribute: string, text: string | null];

/**
 * Corrections of what Swagger UI tells assistive technology: names of fields and buttons, levels of
 * headings, and regions that have no name of their own.
 */
const CORRECTIONS: Correction[] = [
  [".information-container", "role", "region"],
  [".information-container", "aria-label", t("restApi")],
  [".schemes-server-container", "role", "region"],
  [".schemes-server-container", "aria-label", t("server")],
  ["#servers", "aria-label", t("server")],
  [".content-type", "aria-label", t("mediaType")],
  [".body-param__text, .opblock-section-request-body input:not([id])", "aria-label", t("requestBody")],
  [".close-modal", "aria-label", t("close")],
  [".modal-btn[aria-label]", "aria-label", null],
  [".responses-table[role]", "role", null],
  ["h3.opblock-tag, .dialog-ux h3", "aria-level", "2"],
  [".dialog-ux h4", "aria-level", "3"],
  [".dialog-ux .scopes h2", "aria-level", "4"],
  [".models > h4", "aria-level", "2"],
  [".opblock h4", "aria-level", "3"],
  [".opblock h5", "aria-level", "4"],
];

const FIELDS = "[data-param-name] :is(select, input, textarea)";

const correctAttribute = (element: Element, attribute: string, text: string | null): void => {
  if (text === null) element.removeAttribute(attribute);
  else if (element.getAttribute(attribute) !== text) element.setAttribute(attribute, text);
};

/** Apply all corrections to the elements below `root`. */
export const correct = (root: ParentNode): void => {
  for (const [selector, attribute, text] of CORRECTIONS)
    for (const element of root.querySelectorAll(selector)) correctAttribute(element, attribute, text);
  for (const field of root.querySelectorAll<HTMLElement>(FIELDS))
    correctAttribute(
      field,
      "aria-label",
      field.closest<HTMLElement>("[data-param-name]")!.dataset["paramName"]!,
    );
};
