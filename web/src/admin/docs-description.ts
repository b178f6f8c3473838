// The API's description as the viewer on /docs takes it.

type Ways = Record<string, string[]>[];

export interface Description {
  servers: { url: string }[];
  paths: Record<string, Record<string, { security?: Ways }>>;
  components: {
    securitySchemes: Record<string, { flows?: Record<string, Record<string, unknown>> }>;
  };
}

/**
 * Authentication schemes that are shown as another one: the viewer's dialogue takes one token and one pair of
 * name and password. `session` is not shown: a page cannot set a cookie, and the browser sends its own anyway.
 */
const SAME_AS: Record<string, string | undefined> = {
  uploadKey: "bearer",
  client: "key",
  session: undefined,
};

/** The URL at this page's own origin, the only one that the page's security policy lets it call. */
const here = (url: string): string => {
  const { pathname } = new URL(url);
  return location.origin + (pathname === "/" ? "" : pathname);
};

const simplify = (ways: Ways): Ways =>
  ways.map((way) =>
    Object.fromEntries(
      Object.entries(way).flatMap(([name, scopes]) => {
        const shown = name in SAME_AS ? SAME_AS[name] : name;
        return shown ? [[shown, scopes]] : [];
      }),
    ),
  );

/** Adapt the API's description, in place, to the viewer and to this page's origin. */
export const adapt = (description: Description): Description => {
  const { servers, paths, components } = description;
  for (const server of servers) server.url = here(server.url);
  for (const name of Object.keys(SAME_AS)) delete components.securitySchemes[name];
  for (const flow of Object.values(components.securitySchemes["oauth"]?.flows ?? {}))
    for (const [name, value] of Object.entries(flow))
      if (name.endsWith("Url")) flow[name] = here(value as string);
  for (const item of Object.values(paths))
    for (const operation of Object.values(item))
      if (operation.security) operation.security = simplify(operation.security);
  return description;
};
