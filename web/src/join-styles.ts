import { css } from "lit";

export const joinStyles = css`
  main { max-width: 46rem; margin: 0 auto; padding: clamp(1.5rem, 8vh, 5rem) 1.25rem; }
  .card { padding: 2rem; }
`;
